"""Messages that met their policy: made here and nowhere else."""

from dataclasses import dataclass, field
from datetime import datetime

from lxml import etree

from wsprovider.exchange.principal import Principal
from wsprovider.exchange.settings import Operation
from wsprovider.inbound.evidence import Evidence
from wsprovider.inbound.judge import Verdict
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.snapshot import KeySnapshot
from wsprovider.soap.addressing import Addressing
from wsprovider.soap.version import SoapVersion


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


@dataclass(frozen=True, slots=True, eq=False)
class VerifiedRequest:
    """A request that met its policy; only ``Recipient.accept`` makes one.

    Attributes:
        version: the SOAP version, which the reply uses too.
        root: the Envelope of the last tree: the very elements that were verified.
        body: its Body.
        payload: the Body's only child.
        operation: the operation that the payload is the input of.
        principal: who called.
        received: the moment that was "now" for every check.
        message_id: the request's wsa:MessageID, if it had one.
        signature_values: the values of the request's signatures (decoded), its identity in logs.
        alternative: index of the policy alternative that was met.
        evidence, keys, addressing: what the reply is made from.
    """

    version: SoapVersion
    root: etree._Element
    body: etree._Element
    payload: etree._Element
    operation: Operation
    principal: Principal
    received: datetime
    message_id: str | None
    signature_values: tuple[bytes, ...]
    alternative: int
    verdict: Verdict = field(repr=False)
    keys: KeySnapshot = field(repr=False)
    addressing: Addressing | None = field(repr=False)

    @property
    def evidence(self) -> Evidence:
        """What the message has shown."""
        return self.verdict.case.evidence


@dataclass(frozen=True, slots=True, eq=False)
class VerifiedReply:
    """A reply that met the policy its request was sent under; only ``Initiator.accept`` makes one.

    Attributes:
        root, body, payload: of the last tree.
        fault: the payload is a SOAP Fault, protected like any reply.
        certificate: that signed the reply, in an asymmetric binding.
    """

    version: SoapVersion
    root: etree._Element
    body: etree._Element
    payload: etree._Element | None
    fault: bool
    certificate: Certificate | None
    verdict: Verdict = field(repr=False)


@dataclass(frozen=True, slots=True)
class WireMessage:
    """Bytes to send, with what HTTP must say of them.

    Attributes:
        content_type: with charset.
        status: the HTTP status.
    """

    data: bytes
    content_type: str
    status: int
