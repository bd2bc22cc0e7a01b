"""Who called, and how that was proven."""

from dataclasses import dataclass
from enum import Enum

from wsprovider.keyring.material import Certificate


class Proof(Enum):
    """What established a principal."""

    NOTHING = "anonymous"
    PASSWORD = "password"
    PASSWORD_DIGEST = "password digest"
    HTTP_BASIC = "HTTP Basic password"
    CERTIFICATE = "certificate"
    TLS_CERTIFICATE = "tls client certificate"
    TICKET = "kerberos ticket"


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of a service, as its policy proved it.

    Attributes:
        name: the partner's; of a caller who is none, the identity; empty for an anonymous caller.
        proof: how the identity was proven.
        certificate: the certificate that signed the request, where one did, or that TLS proved where nothing
            else names the caller.
        roles: roles that the user store or trust gives, and the partner's.
        identity: the user name, or the name under which trust knows the certificate's holder, or that of a
            ticket's holder.
        partner: who called is one of the partners.
    """

    name: str
    proof: Proof
    certificate: Certificate | None = None
    roles: frozenset[str] = frozenset()
    identity: str = ""
    partner: bool = False

    @property
    def anonymous(self) -> bool:
        """Nobody in particular."""
        return self.proof is Proof.NOTHING


ANONYMOUS = Principal("", Proof.NOTHING)
