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
    TICKET = "kerberos ticket"


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of a service, as its policy proved it.

    Attributes:
        name: user name, or the name under which trust knows the certificate's holder; empty for an
            anonymous caller.
        proof: how the name was proven.
        certificate: the certificate that signed the request, where one did.
        roles: roles that the user store or trust gives.
    """

    name: str
    proof: Proof
    certificate: Certificate | None = None
    roles: frozenset[str] = frozenset()

    @property
    def anonymous(self) -> bool:
        """Nobody in particular."""
        return self.proof is Proof.NOTHING


ANONYMOUS = Principal("", Proof.NOTHING)
