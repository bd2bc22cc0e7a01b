"""What a reply takes over from its request: methods, the shared secret, addressing."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from wsprovider.crypto.ciphers import CIPHERS
from wsprovider.exchange.verified import VerifiedRequest
from wsprovider.inbound.evidence import CertificateKey, SecretKey
from wsprovider.inbound.finding import Case
from wsprovider.inbound.judge import Verdict
from wsprovider.keyring.contexts import ContextKey
from wsprovider.keyring.material import KeyPair
from wsprovider.outbound.message import (
    Algorithms,
    Block,
    ElementBlock,
    Outgoing,
    SharedSecret,
    TextBlock,
    TicketSecret,
)
from wsprovider.outbound.plan import Plan
from wsprovider.policy.requirements import Protection
from wsprovider.ports import Entropy
from wsprovider.soap.addressing import Addressing
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.xml.escape import escape_text

_PREFIX: Final = "wsa"
_MESSAGE_ID_BYTES: Final = 16


def algorithms_of(case: Case) -> Algorithms:
    """The methods that a request used, which its reply uses too."""
    evidence, signature = case.evidence, case.main
    decryption = evidence.decryptions[0] if evidence.decryptions else None
    transport = next(iter(evidence.transports), None)
    derivation = None
    for token in evidence.candidates.derived_keys.values():
        derivation = token.namespace
    return Algorithms(
        signature=signature.signature.method if signature is not None else None,
        digest=signature.signature.references[0].digest_method if signature is not None else None,
        encryption=decryption.method if decryption is not None else None,
        transport=transport,
        derivation=derivation,
    )


def check_answerable(plan: Plan, verdict: Verdict) -> None:
    """Refuse a request whose reply could not be encrypted, before the service is called.

    Raises:
        WSSecurityError: KEY_KIND, KEY_SIZE.
    """
    if not plan.encrypts or verdict.case.main is None:
        return
    key = verdict.case.main.key
    if plan.symmetric:
        if isinstance(key, SecretKey) and key.root.ticket is not None:
            _check_key_size(key.root.secret, plan, verdict.case)
        return
    if isinstance(key, CertificateKey) and not isinstance(key.certificate.public_key, rsa.RSAPublicKey):
        raise WSSecurityError(Reason.KEY_KIND, "no reply can be encrypted to a key that is not RSA")


def _check_key_size(secret: bytes, plan: Plan, case: Case) -> None:
    """A ticket's key is as long as its encryption type has it, whatever the suite wants."""
    if case.evidence.decryptions or plan.requirements.encryption_derived:
        return  # it fits what the request used
    if len(secret) != CIPHERS[plan.requirements.suite.encryptions[0]].key_bytes:
        raise WSSecurityError(Reason.KEY_SIZE, f"a ticket's key of {len(secret)} bytes")


def secret_of(case: Case) -> SharedSecret | ContextKey | TicketSecret | None:
    """The secret that a symmetric request was protected with, and its reply will be."""
    main = case.main
    if main is None or not isinstance(main.key, SecretKey):
        return None
    root = main.key.root
    if root.ticket is not None:
        return TicketSecret(root.secret, root.sha1)
    return root.context or SharedSecret(root.secret, root.sha1)


def signing_key(request: VerifiedRequest, now: datetime) -> KeyPair:
    """Our key that signs the reply: the one that the request was encrypted to, while that may answer.

    Where the request addressed none, the partner's assignment decides, or the ring.

    Raises:
        ConfigurationError: none is active.
    """
    case = request.verdict.case
    addressed = next((root.recipient for root in case.evidence.roots.values()), None)
    holder = case.certificate_key
    return request.keys.signing_key(
        now, addressed=addressed, partner=None if holder is None else holder.partner
    )


def outgoing_of(
    request: VerifiedRequest,
    outward: Plan,
    body: etree._Element,
    *,
    blocks: Sequence[Block],
    exact: bool,
    now: datetime,
    life: timedelta,
) -> Outgoing:
    """A reply as it is to be written, by the keys and the methods of its request.

    Raises:
        ConfigurationError: a key that the reply needs is not there.
    """
    case = request.verdict.case
    holder = case.certificate_key
    asymmetric = outward.requirements.protection is Protection.ASYMMETRIC
    secret = None if asymmetric else secret_of(case)
    return Outgoing(
        version=request.version,
        body=body,
        now=now,
        life=life,
        blocks=blocks,
        exact=exact,
        confirmations=request.signature_values,
        signing=signing_key(request, now) if asymmetric and outward.signs else None,
        encrypt_to=holder.certificate if holder is not None else None,
        secret=secret if isinstance(secret, SharedSecret) else None,
        context=secret if isinstance(secret, ContextKey) else None,
        ticket=secret if isinstance(secret, TicketSecret) else None,
        algorithms=algorithms_of(case),
    )


def reply_blocks(
    request: VerifiedRequest,
    headers: Sequence[etree._Element],
    *,
    fault: bool,
    entropy: Entropy,
) -> list[Block]:
    """Addressing headers, when the request had some, and the application's own."""
    blocks: list[Block] = []
    addressing = request.addressing
    if addressing is not None:
        action = addressing.version.fault_action if fault else request.operation.reply_action
        blocks += addressing_blocks(addressing, action, entropy)
    blocks += [ElementBlock(element) for element in headers]
    return blocks


def addressing_blocks(addressing: Addressing, action: str, entropy: Entropy) -> list[Block]:
    """WS-Addressing 1.0 Core, section 3.4: the headers of a reply."""
    namespace = addressing.version.namespace
    identifier = f"urn:uuid:{_uuid(entropy)}"
    blocks = [
        addressing_block(namespace, "Action", action),
        addressing_block(namespace, "MessageID", identifier),
        addressing_block(namespace, "To", addressing.version.anonymous),
    ]
    if addressing.message_id is not None:
        blocks.append(addressing_block(namespace, "RelatesTo", addressing.message_id))
    return blocks


def addressing_block(namespace: str, name: str, value: str) -> Block:
    """One addressing header."""
    return TextBlock(
        f"{{{namespace}}}{name}",
        f"{_PREFIX}:{name}",
        f' xmlns:{_PREFIX}="{namespace}"',
        escape_text(value),
    )


def _uuid(entropy: Entropy) -> str:
    """RFC 9562 section 5.4: a version 4 UUID."""
    raw = bytearray(entropy(_MESSAGE_ID_BYTES))
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
