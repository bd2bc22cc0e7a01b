"""What a service finds in ``ctx.udc``: who called, and which message it was."""

from dataclasses import dataclass

from wsprovider.exchange.principal import Principal, Proof
from wsprovider.exchange.recipient import VerifiedRequest
from wsprovider.keyring.material import Certificate


@dataclass(frozen=True, slots=True)
class Caller:
    """The verified request behind one call, as far as it concerns a service.

    Attributes:
        principal: who called, and how that was proven.
        endpoint: the endpoint's name, such as ``echo/integrity``.
        scenario: the scenario's slug; None under a policy of the developer's own.
        message_id: the request's wsa:MessageID, if it had one.
        signatures: the values of the request's signatures; they identify the message for good, which
            a MessageID that nobody signed does not.
        request: the verified request itself, for whoever keeps evidence of it.
    """

    principal: Principal
    endpoint: str
    scenario: str | None
    message_id: str | None
    signatures: tuple[bytes, ...]
    request: VerifiedRequest

    @property
    def name(self) -> str:
        """The caller's name; empty for an anonymous one."""
        return self.principal.name

    @property
    def identity(self) -> str:
        """What was proven: a partner's user name, or the name of its certificate or ticket."""
        return self.principal.identity

    @property
    def proof(self) -> Proof:
        """How the name was proven."""
        return self.principal.proof

    @property
    def certificate(self) -> Certificate | None:
        """The certificate that signed the request, where one did."""
        return self.principal.certificate

    @property
    def roles(self) -> frozenset[str]:
        """What the caller may be taken for."""
        return self.principal.roles
