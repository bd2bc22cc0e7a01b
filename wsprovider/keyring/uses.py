"""What a certificate did in a message that was accepted or sent, as a value.

Who renews a key wants to know which partner still uses the old one; that is told by what messages have shown,
never by what configuration expects.
"""

from dataclasses import dataclass
from enum import Enum

from wsprovider.keyring.material import Certificate


class Role(Enum):
    """Our part in the exchange."""

    PROVIDER = "provider"
    CONSUMER = "consumer"


class Case(Enum):
    """What was done with a certificate's key; the value is what stores and reports call it."""

    VERIFY = "verify"
    DECRYPT = "decrypt"
    SIGN = "sign"
    ENCRYPT = "encrypt"


@dataclass(frozen=True, slots=True)
class Use:
    """One certificate did one thing in one message.

    Attributes:
        partner: the name under which the peer is known: trust's name for the certificate that shows who they are,
            else the user or the ticket's holder; empty for nobody in particular. Any length, any text.
        certificate: the partner's for VERIFY and ENCRYPT, our own for DECRYPT and SIGN.
    """

    case: Case
    partner: str
    certificate: Certificate
