"""The rounds: from a parsed envelope to evidence, along the document and without judging.

Round 1 works on the tree as it came: the Security header is read, every readable Signature opened.
What is encrypted is then decrypted to bytes, spliced in, and parsed again; a Signature or token that
was encrypted is read in that last tree. Digests are compared on the last tree when the policy signs
before it encrypts, and before decryption when it encrypts first; what was covered is carried by
place. There is one round more only where the Signature itself was encrypted after encrypting parts.
"""

from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from wsprovider.header import encrypted_data
from wsprovider.inbound.candidates import Candidates, read, read_children
from wsprovider.inbound.closing import Covered, digest_reference
from wsprovider.inbound.context import Context
from wsprovider.inbound.decrypting import Decrypted, Where, decrypt_found, find, resolve
from wsprovider.inbound.evidence import CertificateKey, DecryptionFact, Evidence, SignatureFact
from wsprovider.inbound.keys import Keys
from wsprovider.inbound.opening import Opened, open_signature
from wsprovider.soap import envelope as soap_envelope
from wsprovider.soap.envelope import Envelope
from wsprovider.soap.version import SoapVersion
from wsprovider.words.errors import SoapError, WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.xml.ids import Ids, collect
from wsprovider.xml.places import at
from wsprovider.xml.splice import splice

_NONCE_BYTES: Final = 12
_SIGNATURE_HINT: Final = b"SignatureValue"


def examine(root: etree._Element, version: SoapVersion, context: Context) -> Evidence:
    """Collect the evidence of one message.

    Args:
        root: the parsed document; used up when something in it is encrypted.
        version: of SOAP, as the transport announced it.

    Raises:
        WSSecurityError: the first thing that does not hold.
        SoapError: the frame of the message is wrong.
    """
    envelope = soap_envelope.read(root, version)
    soap_envelope.check_understood(envelope)
    ids = collect(root, context.limits)
    if envelope.security is None:
        return Evidence(envelope, ids, Candidates(), (), (), {}, frozenset())
    return _Examination(envelope, ids, context).run()


@dataclass(slots=True)
class _Round:
    """One tree of the message."""

    envelope: Envelope
    ids: Ids


@dataclass(slots=True, eq=False)
class _Closed:
    opened: Opened
    covered: Covered = field(default_factory=Covered)


class _Examination:
    """The state of one examination; used once."""

    def __init__(self, envelope: Envelope, ids: Ids, context: Context) -> None:
        self.context = context
        self.tree = _Round(envelope, ids)
        self.candidates = read(self._security(), context.limits)
        self.keys = Keys(self.candidates, context)
        self.keys.look_in(self._security(), ids)
        self.closed: list[_Closed] = []
        self.opened_indices: set[int] = set()
        self.decrypted: list[Decrypted] = []

    def run(self) -> Evidence:
        before = self.context.gate.encrypt_before_signing
        self._open(decrypted=False)
        pending = self._decrypt_all()
        if pending and before and not self.closed:
            # the Signature is encrypted, too: it comes out first, and covers what is still encrypted
            signatures = [one for one in pending if _may_be_signature(one)]
            pending = [one for one in pending if one not in signatures]
            self._splice(signatures)
            self._open(decrypted=True)
        if before:
            self._close()
        self._splice(pending)
        if not before:
            self._open(decrypted=True)
            self._close()
        if self.decrypted:
            soap_envelope.check_understood(self.tree.envelope)
        return self._evidence()

    def _security(self) -> etree._Element:
        security = self.tree.envelope.security
        if security is None:
            raise WSSecurityError(Reason.NO_SECURITY_HEADER)
        return security

    def _open(self, *, decrypted: bool) -> None:
        """Open each Signature that can be read by now."""
        for index, signature in self.candidates.signatures.items():
            if index in self.opened_indices:
                continue
            self.opened_indices.add(index)
            opened = open_signature(signature, self.keys, self.context, decrypted=decrypted)
            self.closed.append(_Closed(opened))

    def _decrypt_all(self) -> list[Decrypted]:
        found = find(self.tree.envelope, self.candidates, self.context.limits)
        keys = resolve(found, self.candidates, self.keys)
        return [decrypt_found(one, key, self.context) for one, key in zip(found, keys, strict=True)]

    def _splice(self, decrypted: list[Decrypted]) -> None:
        """Put plaintexts in, parse again, and read what appeared."""
        if not decrypted:
            return
        context = self.context
        self.decrypted += decrypted
        root = splice(
            self.tree.envelope.root,
            [one.graft for one in decrypted],
            context.entropy(_NONCE_BYTES).hex(),
            context.limits,
        )
        try:
            envelope = soap_envelope.read(root, self.tree.envelope.version)
        except SoapError as error:  # its fault would tell something of the plaintext
            raise WSSecurityError(Reason.DECRYPTED_STRUCTURE, str(error)) from None
        self.tree = _Round(envelope, collect(root, context.limits))
        security = self._security()
        self.keys.look_in(security, self.tree.ids)
        revealed = [one.found.index for one in decrypted if one.found.index is not None]
        for index in revealed:
            if security[index].tag == encrypted_data.TAG:
                raise WSSecurityError(Reason.NESTED_ENCRYPTION)
            del self.candidates.encrypted[index]
        read_children(security, revealed, self.candidates, context.limits)

    def _close(self) -> None:
        """Compare every digest on the present tree."""
        envelope, ids, context = self.tree.envelope, self.tree.ids, self.context
        for closed in self.closed:
            opened = closed.opened
            for reference in opened.signature.references:
                digest_reference(reference, opened, envelope, ids, closed.covered, context.limits)
            if context.second_opinion is not None:
                key = opened.key
                secret = key.certificate.public_key if isinstance(key, CertificateKey) else key.secret
                targets = [ids[reference.id] for reference in opened.signature.references]
                element = self._security()[opened.signature.index]
                context.second_opinion.signature(element, secret, targets)

    def _evidence(self) -> Evidence:
        root = self.tree.envelope.root
        signatures = tuple(
            SignatureFact(
                closed.opened.signature,
                closed.opened.key,
                frozenset(at(root, place) for place in closed.covered.places),
                frozenset(closed.covered.tokens),
                frozenset(closed.covered.certificates),
                frozenset(one.digest_method for one in closed.opened.signature.references),
                closed.opened.decrypted,
            )
            for closed in self.closed
        )
        return Evidence(
            self.tree.envelope,
            self.tree.ids,
            self.candidates,
            signatures,
            tuple(self._fact(one) for one in self.decrypted),
            dict(self.keys.roots),
            frozenset(self.keys.used),
        )

    def _fact(self, one: Decrypted) -> DecryptionFact:
        found = one.found
        content = found.where is Where.BODY
        element = self.tree.envelope.body if content else at(self.tree.envelope.root, found.place)
        return DecryptionFact(element, content, one.key, found.data.method, found.data.octets)


def _may_be_signature(one: Decrypted) -> bool:
    """A hint which plaintext is the Signature; being wrong only means that it is not found."""
    return one.found.index is not None and _SIGNATURE_HINT in one.plaintext
