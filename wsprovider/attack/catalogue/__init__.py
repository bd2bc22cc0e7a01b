"""What is sent: tables of variants by the groups of the catalogue of bad inputs (docs/attacks.md)."""

from typing import Final

from wsprovider.attack.catalogue.conversations import CONTEXTS, OPENINGS
from wsprovider.attack.catalogue.documents import ADDRESSING, DOCUMENTS, ORACLES, SOAP
from wsprovider.attack.catalogue.encryption import ENCRYPTION
from wsprovider.attack.catalogue.header import HEADERS, WRAPPING
from wsprovider.attack.catalogue.http import HTTP
from wsprovider.attack.catalogue.signatures import KEYS, SIGNATURES
from wsprovider.attack.catalogue.tokens import TICKETS, TIMES, USERS
from wsprovider.attack.variants import Variant

VARIANTS: Final[tuple[Variant, ...]] = (
    *DOCUMENTS,
    *HTTP,
    *SOAP,
    *HEADERS,
    *WRAPPING,
    *SIGNATURES,
    *KEYS,
    *ENCRYPTION,
    *TIMES,
    *USERS,
    *CONTEXTS,
    *OPENINGS,
    *TICKETS,
    *ADDRESSING,
    *ORACLES,
)
"""Every variant, in the order in which they are sent."""
GROUPS: Final = {
    "A": "documents and parsers",
    "B": "HTTP",
    "C": "SOAP",
    "D": "the Security header",
    "E": "signature wrapping",
    "F": "signatures otherwise",
    "G": "keys, certificates, trust",
    "H": "cost of signatures",
    "I": "encryption",
    "J": "time and replay",
    "K": "user names",
    "L": "secure conversations",
    "N": "Kerberos tickets",
    "O": "WS-Addressing",
    "P": "what answers give away",
}
"""What the first letter of an entry stands for."""
