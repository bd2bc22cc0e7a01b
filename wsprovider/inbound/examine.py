"""The rounds: from a parsed envelope to evidence, along the document and without judging.

Round 1 works on the tree as it came: the Security header is read, every readable Signature opened, and
every digest compared whose target holds no cipher text. So a Timestamp that can be read is known to be
the signer's, and fresh, before anything is decrypted on the message's behalf. What is encrypted is then
decrypted to bytes, spliced in, and parsed again; a Signature or token that was encrypted is read in that
last tree. The remaining digests are compared there when the policy signs before it encrypts, and before
decryption when it encrypts first. What was covered is carried by place. There is one round more where
the policy has the Signature encrypted: it comes out first, alone, and the same order follows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from lxml import etree

from wsprovider.header import encrypted_data
from wsprovider.header.signature import Signature
from wsprovider.header.token_reference import LocalReference
from wsprovider.inbound.candidates import Candidates, read, read_children
from wsprovider.inbound.closing import Covered, digest_reference
from wsprovider.inbound.context import Context, Gate
from wsprovider.inbound.decrypting import (
    Decrypted,
    Found,
    Where,
    decrypt_found,
    find,
    resolve,
)
from wsprovider.inbound.evidence import (
    CertificateKey,
    DecryptionFact,
    Evidence,
    SecretKey,
    SignatureFact,
)
from wsprovider.inbound.keys import Keys
from wsprovider.inbound.opening import Opened, check_methods, open_signature
from wsprovider.policy.requirements import KeySource
from wsprovider.soap import envelope as soap_envelope
from wsprovider.soap.envelope import Envelope
from wsprovider.soap.version import SoapVersion
from wsprovider.words.errors import SoapError, WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.xml.ids import Ids, collect
from wsprovider.xml.places import Place, at, place_of
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
    envelope = soap_envelope.read(root, version, context.limits)
    soap_envelope.check_understood(envelope, context.understood)
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
    """A signature whose digests are being compared.

    Attributes:
        compared: ids of the References that hold already.
        confirmed: the second engine has agreed.
    """

    opened: Opened
    covered: Covered = field(default_factory=Covered)
    compared: set[str] = field(default_factory=set)
    confirmed: bool = False


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
        self.revealed: set[int] = set()
        self.stamps: list[Place] = []
        self.decrypting = False
        self.decrypted: list[Decrypted] = []
        self.found: list[Found] = []
        self.resolved: list[SecretKey] | None = None

    def run(self) -> Evidence:
        """Go through the rounds; a refusal tells whether anything had been decrypted by then."""
        try:
            return self._rounds()
        except WSSecurityError as error:
            error.decrypted = self.decrypting
            raise

    def _rounds(self) -> Evidence:
        gate = self.context.gate
        self._open()
        self.found = find(self.tree.envelope, self.candidates, self.context.limits)
        pending = self.found
        if pending and not self.closed and gate.hidden_signature:
            pending = self._uncover_signature()
        self._close(hidden=None if gate.encrypt_before_signing else [one.place for one in pending])
        self._check_before_decryption(pending)
        self._resolve()
        self._check_keys(pending)
        self._splice(self._decrypt(pending))
        self._open()
        self._close()
        if self.decrypted:
            self._check_revealed()
        return self._evidence()

    def _uncover_signature(self) -> list[Found]:
        """EncryptSignature: the Signature comes out first; what else is encrypted is left, and returned.

        Which one it is shows only in the plaintext, so every encrypted child of the Security header is
        decrypted for it, and nothing of the Body or of other headers.
        """
        self._resolve()
        inside = [one for one in self.found if one.where is Where.SECURITY]
        signatures = [one for one in self._decrypt(inside) if may_be_signature(one) or not one.holds]
        self._splice(signatures)
        self._open()
        uncovered = [one.found for one in signatures]
        return [one for one in self.found if one not in uncovered]

    def _check_before_decryption(self, pending: list[Found]) -> None:
        """Decrypt nothing for a message that is not somebody's, fresh, and seen for the first time.

        Otherwise changed copies of an old message could ask questions of a CBC padding check, however
        alike the answers are.

        Raises:
            WSSecurityError: SIGNATURE_MISSING, TIMESTAMP_MISSING, TIMESTAMP_NOT_SIGNED, or what
                ``timestamp_seen`` says.
        """
        for stamp in self.candidates.timestamps.values():
            self.context.timestamp_seen(stamp)
        gate = self.context.gate
        if pending and not gate.encryption:
            raise WSSecurityError(Reason.ENCRYPTION_UNEXPECTED, pending[0].where.value)
        if not pending or not gate.signature:
            return
        if not self.closed:
            raise WSSecurityError(Reason.SIGNATURE_MISSING)
        if gate.timestamp and not self.candidates.timestamps:
            raise WSSecurityError(Reason.TIMESTAMP_MISSING)
        self.stamps = [place_of(self._security()[index]) for index in self.candidates.timestamps]
        for place in self.stamps:
            if not any(place in closed.covered.places for closed in self.closed):
                raise WSSecurityError(Reason.TIMESTAMP_NOT_SIGNED)

    def _security(self) -> etree._Element:
        security = self.tree.envelope.security
        if security is None:
            raise WSSecurityError(Reason.NO_SECURITY_HEADER)
        return security

    def _open(self) -> None:
        """Open each Signature that can be read by now, and whose token can."""
        for index, signature in self.candidates.signatures.items():
            if index in self.opened_indices or self._token_is_hidden(signature):
                continue
            self.opened_indices.add(index)
            try:
                opened = open_signature(signature, self.keys, self.context, decrypted=index in self.revealed)
            except SoapError as error:
                if index not in self.revealed:
                    raise
                raise _revealed(error) from None
            self.closed.append(_Closed(opened))
            if self.context.narrow is not None:
                self._narrow(self.context.narrow([one.opened.key for one in self.closed]))

    def _narrow(self, gate: Gate | None) -> None:
        """Hold the message to what is open to who signed it, before a key or content is opened for it.

        Raises:
            WSSecurityError: ALGORITHM_NOT_IN_SUITE.
        """
        if gate is None:
            return
        self.context = self.keys.context = replace(self.context, gate=gate)
        for one in self.closed:
            check_methods(one.opened.signature, gate)

    def _token_is_hidden(self, signature: Signature) -> bool:
        """An encrypted endorsing token (WS-SecurityPolicy 1.2, section 8.5) shows after decryption only.

        As long as the message signature can be read, nothing is decrypted on the word of an endorsing one.
        """
        named = signature.key.key
        return (
            bool(self.candidates.encrypted)
            and isinstance(named, LocalReference)
            and named.id not in self.tree.ids
        )

    def _resolve(self) -> None:
        """Keys and lists of all that was found, once; lists are held against it even where it is nothing."""
        if self.resolved is None:
            self.resolved = resolve(self.found, self.candidates, self.keys)

    def _decrypt(self, wanted: list[Found]) -> list[Decrypted]:
        """Decrypt some of what was found."""
        self.decrypting = self.decrypting or bool(wanted)
        return [decrypt_found(one, key, self.context) for one, key in self._keyed(wanted)]

    def _keyed(self, wanted: list[Found]) -> list[tuple[Found, SecretKey]]:
        return [pair for pair in zip(self.found, self.resolved or (), strict=True) if pair[0] in wanted]

    def _check_keys(self, pending: list[Found]) -> None:
        """Use no secret on the word of somebody who has not shown to hold it.

        What the judge says of one protection key is said here before anything is decrypted: otherwise a
        stranger's own signature would do to ask questions of a key that two others share, and a padding
        check answers by time, however alike the faults are. Where a certificate signs, nothing ties it to the
        key that came along; a security context's key decrypts for its holder only.

        Raises:
            WSSecurityError: PROTECTION_KEY.
        """
        if not pending or not self.context.gate.signature:
            return
        fresh = [one for one in self.closed if one.covered.places.issuperset(self.stamps)]
        roots = {one.opened.key.root for one in fresh if isinstance(one.opened.key, SecretKey)}
        certified = any(isinstance(one.opened.key, CertificateKey) for one in fresh)
        for _, key in self._keyed(pending):
            by_certificate = certified and key.root.source is KeySource.ENCRYPTED_KEY
            shown = key.root in roots or by_certificate
            if not shown:
                raise WSSecurityError(Reason.PROTECTION_KEY, "a key that no signature shows")

    def _check_revealed(self) -> None:
        """Headers that decryption revealed; that one is not understood must not tell what it decrypted to."""
        try:
            soap_envelope.check_understood(self.tree.envelope, self.context.understood)
        except SoapError as error:
            raise _revealed(error) from None

    def _splice(self, decrypted: list[Decrypted]) -> None:
        """Put plaintexts in, parse again, and read what appeared."""
        if not decrypted:
            return
        context = self.context
        self.decrypted += decrypted
        try:
            root = splice(
                self.tree.envelope.root,
                [one.graft for one in decrypted],
                context.entropy(_NONCE_BYTES).hex(),
                context.limits,
            )
        except WSSecurityError:
            _check_decrypted(decrypted)
            raise
        _check_decrypted(decrypted)
        try:
            envelope = soap_envelope.read(root, self.tree.envelope.version, context.limits)
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
        self.revealed.update(revealed)
        read_children(security, revealed, self.candidates, context.limits)

    def _close(self, hidden: Sequence[Place] | None = None) -> None:
        """Compare the digests on the present tree that were not compared before.

        Args:
            hidden: places of cipher text that is still to be decrypted: what holds any of it, or cannot
                be found yet, waits for the last tree. None: nothing waits.
        """
        envelope, ids, context = self.tree.envelope, self.tree.ids, self.context
        for closed in self.closed:
            opened = closed.opened
            for reference in opened.signature.references:
                if reference.id in closed.compared:
                    continue
                if hidden and waits(ids.get(reference.id), hidden):
                    continue
                digest_reference(reference, opened, envelope, ids, closed.covered, context)
                closed.compared.add(reference.id)
            if len(closed.compared) == len(opened.signature.references):
                self._ask_second_opinion(closed)

    def _ask_second_opinion(self, closed: _Closed) -> None:
        """Have the other engine verify the whole signature, once, on the tree where all of it holds."""
        opinion = self.context.second_opinion
        if opinion is None or closed.confirmed:
            return
        closed.confirmed = True
        opened, ids = closed.opened, self.tree.ids
        key = opened.key
        secret = key.certificate.public_key if isinstance(key, CertificateKey) else key.secret
        targets = [ids[reference.id] for reference in opened.signature.references]
        opinion.signature(self._security()[opened.signature.index], secret, targets)

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


def _revealed(error: SoapError) -> WSSecurityError:
    return WSSecurityError(Reason.DECRYPTED_STRUCTURE, str(error))


def _check_decrypted(decrypted: Sequence[Decrypted]) -> None:
    """Say only now that something could not be decrypted, after as much work as over what could.

    Raises:
        WSSecurityError: DECRYPTION.
    """
    if not all(one.holds for one in decrypted):
        raise WSSecurityError(Reason.DECRYPTION)


def may_be_signature(one: Decrypted) -> bool:
    """A hint which plaintext is the Signature; being wrong only means that it is not found."""
    return one.found.index is not None and _SIGNATURE_HINT in one.plaintext


def waits(target: etree._Element | None, hidden: Sequence[Place]) -> bool:
    """Whether a target can only be digested after decryption."""
    if target is None:
        return True
    place = place_of(target)
    return any(one[: len(place)] == place for one in hidden)
