"""The two published forms of WS-Trust with WS-SecureConversation, as values.

WS-Trust of February 2005 goes with WS-SecureConversation of February 2005, WS-Trust 1.3 and 1.4 (OASIS
200512) with WS-SecureConversation 1.3 and 1.4 (200512). Which one is spoken is the client's choice, told by
the namespace of its RequestSecurityToken.
"""

from dataclasses import dataclass
from typing import Final

from wsprovider.words import namespaces as ns


@dataclass(frozen=True, slots=True)
class TrustVersion:
    """One form of WS-Trust, and the WS-SecureConversation that belongs to it.

    Attributes:
        namespace: of WS-Trust.
        conversation: namespace of WS-SecureConversation.
        collection: responses stand in a RequestSecurityTokenResponseCollection (WS-Trust 1.3, section 4.3).
    """

    namespace: str
    conversation: str
    collection: bool

    def uri(self, name: str) -> str:
        """An identifier of this version, such as ``Issue``, ``Nonce``, ``CK/PSHA1`` or ``RST/SCT``."""
        return f"{self.namespace}/{name}"

    @property
    def token_type(self) -> str:
        """TokenType and ValueType of a SecurityContextToken (WS-SecureConversation 1.3, section 2)."""
        return f"{self.conversation}/sct"


WST_200502: Final = TrustVersion(ns.WST_200502, ns.WSC_200502, collection=False)
WST_200512: Final = TrustVersion(ns.WST_200512, ns.WSC_200512, collection=True)

TRUST_VERSIONS: Final = {version.namespace: version for version in (WST_200502, WST_200512)}
"""By the namespace of WS-Trust."""
BY_CONVERSATION: Final = {version.conversation: version for version in (WST_200502, WST_200512)}
"""By the namespace of WS-SecureConversation."""
BY_TOKEN_TYPE: Final = {version.token_type: version for version in (WST_200502, WST_200512)}
"""By the ValueType of a SecurityContextToken."""
