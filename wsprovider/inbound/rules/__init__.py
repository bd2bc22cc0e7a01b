"""The rules of the judge: each compares evidence with requirements and yields every finding.

A rule is a pure function of a :class:`~wsprovider.inbound.finding.Case`. It knows no scenario, no
exit for a kind of token, and looks nothing up by name in the document.
"""

from typing import Final

from wsprovider.inbound.finding import Rule
from wsprovider.inbound.rules import accounting, encryption, signature, suite, timestamp, tokens

RULES: Final[tuple[Rule, ...]] = (
    *timestamp.RULES,
    *signature.RULES,
    *encryption.RULES,
    *tokens.RULES,
    *suite.RULES,
    *accounting.RULES,
)
