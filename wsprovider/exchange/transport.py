"""What the server knows of the connection a message came by."""

from dataclasses import dataclass

from wsprovider.keyring.material import Certificate


@dataclass(frozen=True, slots=True)
class Transport:
    """What the server knows of the connection a message came by; never taken from the message.

    Attributes:
        secure: TLS, ended by ourselves or by a proxy that the operator trusts.
        peer: the source address, for logs and back-off.
        client_certificate: of TLS client authentication, already verified by the TLS layer.
    """

    secure: bool
    peer: str = ""
    client_certificate: Certificate | None = None
