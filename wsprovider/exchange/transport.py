"""What the server knows of the connection a message came by."""

from dataclasses import dataclass, field

from wsprovider.keyring.material import Certificate


@dataclass(frozen=True, slots=True)
class Transport:
    """What the server knows of the connection a message came by; never taken from the message.

    Attributes:
        secure: TLS, ended by ourselves or by a proxy that the operator trusts.
        peer: the source address, for logs and back-off.
        client_certificate: of TLS client authentication, already verified by the TLS layer.
        authorization: the value of HTTP's Authorization header, where TLS hid it; never logged.
    """

    secure: bool
    peer: str = ""
    client_certificate: Certificate | None = None
    authorization: str | None = field(default=None, repr=False)
