"""Messages that met their policy: made here and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from lxml import etree

from wsprovider.exchange.principal import Principal
from wsprovider.exchange.settings import Operation
from wsprovider.exchange.token_service import Errand, context_of
from wsprovider.exchange.ways import Way
from wsprovider.inbound.evidence import Evidence
from wsprovider.inbound.judge import Verdict
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.snapshot import KeySnapshot
from wsprovider.keyring.uses import Use
from wsprovider.soap.addressing import Addressing
from wsprovider.soap.version import SoapVersion


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
        way: how it was protected.
        errand: a request for a security context, which the endpoint answers itself; None for all others.
        evidence, keys, addressing: what the reply is made from.
        remark: what the operator should know though the request was accepted; usually empty.
        uses: the certificates that protected it.
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
    way: Way
    errand: Errand | None
    verdict: Verdict = field(repr=False)
    keys: KeySnapshot = field(repr=False)
    addressing: Addressing | None = field(repr=False)
    remark: str = ""
    uses: tuple[Use, ...] = ()

    @property
    def evidence(self) -> Evidence:
        """What the message has shown."""
        return self.verdict.case.evidence

    @property
    def context_identifier(self) -> str | None:
        """Of the security context that protects the message, or that it renews or cancels; never a secret."""
        if self.way.conversation is None:
            return None
        asked_for = None if self.errand is None else self.errand.context
        context = asked_for or context_of(self.verdict.case)
        return None if context is None else context.identifier


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
        uses: the certificates that protect it; none for an unprotected fault.
        secrets: what an EncryptedKey in it carries, by EncryptedKeySHA1; for the archive.
    """

    data: bytes
    content_type: str
    status: int
    uses: tuple[Use, ...] = ()
    secrets: Mapping[bytes, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """A request for a security context, carried out.

    Attributes:
        wire: the protected response.
        context: identifier of the context that was issued, renewed or cancelled.
    """

    wire: WireMessage
    context: str
