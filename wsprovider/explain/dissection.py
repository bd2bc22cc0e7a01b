"""A message taken apart: every piece is read, opened, digested and decrypted by itself, whatever the others are.

The pieces are the engine's own (:mod:`wsprovider.inbound`), and so are the rules of each: algorithms that the
endpoint does not let in do nothing here either, and what cannot be decrypted says no more than that. Only the
order is another one: nothing stops at the first thing that does not hold. No verdict comes from here.
"""

from collections.abc import Callable, Collection, Iterable
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar

from lxml import etree

from wsprovider.explain.atlas import Atlas
from wsprovider.explain.pieces import CipherPiece, DigestPiece, SignaturePiece
from wsprovider.explain.report import Refusal, Spot
from wsprovider.header import encrypted_data, fields
from wsprovider.header.signature import Reference, Signature
from wsprovider.inbound import candidates as header
from wsprovider.inbound.candidates import Candidates
from wsprovider.inbound.closing import Covered, digest_of
from wsprovider.inbound.context import Context
from wsprovider.inbound.decrypting import Decrypted, Where, decrypt_found, find, key_of, resolve
from wsprovider.inbound.evidence import (
    DecryptionFact,
    Evidence,
    KeyRoot,
    SecretKey,
    SignatureFact,
)
from wsprovider.inbound.examine import may_be_signature, waits
from wsprovider.inbound.keys import Keys
from wsprovider.inbound.opening import Opened, open_signature
from wsprovider.soap import envelope as soap_envelope
from wsprovider.soap.envelope import ENCRYPTED_HEADER
from wsprovider.soap.version import SoapVersion
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import SoapError, WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.xml.ids import WSU_ID, Ids, collect
from wsprovider.xml.places import Place, at, place_of
from wsprovider.xml.splice import splice

_NONCE_BYTES: Final = 12
_NOBODY: Final = SecretKey(b"", KeyRoot(b""))
_RESOLVED: Final = (WSU_ID, "Id")
_IDS: Final = (*_RESOLVED, "ID", "AssertionID", f"{{{ns.XML}}}id")
"""Attributes that are ids to somebody, as :mod:`wsprovider.xml.ids` has it."""
_ONCE: Final = frozenset({"timestamps", "tickets", "contexts"})
"""Kinds of child of which there may be one."""
_Piece = TypeVar("_Piece")


class Dissection:
    """One message, taken apart; made once and then only read.

    Attributes:
        atlas: where everything stands.
        envelope, ids: of the last tree.
        candidates: the children of the Security header that could be read.
        errors: what is wrong with the whole, each with its place (if it has one).
        children: why a child of the Security header could not be read, by its index.
        signatures, ciphers: the pieces.
        keys: that were resolved for them.
    """

    def __init__(self, root: etree._Element, version: SoapVersion, context: Context, atlas: Atlas) -> None:
        """Take a message apart.

        Raises:
            WSSecurityError, SoapError: the frame of the message is none.
            BackendError: a store did not answer.
        """
        self.context = replace(
            context,
            signature_seen=lambda _: None,
            timestamp_seen=lambda _: None,
            unwrapping=lambda: None,
            second_opinion=None,
        )
        self.atlas = atlas
        self.envelope = soap_envelope.read(root, version, context.limits)
        self.candidates = Candidates()
        self.errors: list[tuple[Refusal, Spot | None]] = []
        self.children: dict[int, Refusal] = {}
        self.signatures: dict[int, SignaturePiece] = {}
        self.ciphers: list[CipherPiece] = []
        self.keys = Keys(self.candidates, self.context)
        self._decrypted: list[Decrypted] = []
        self._revealed: set[int] = set()
        self._check_understood()
        self.ids = self._index(root)
        if self.envelope.security is not None:
            self._take_apart(self.envelope.security)

    @property
    def clean(self) -> bool:
        """Nothing failed; what is missing nevertheless, the judge's rules say."""
        errors = [piece.error for piece in self.signatures.values()]
        errors += [piece.error for piece in self.ciphers]
        references = [one for piece in self.signatures.values() for one in piece.digests]
        failed = any(error is not None for error in errors) or any(not one.holds for one in references)
        return not (self.errors or self.children or failed)

    @property
    def evidence(self) -> Evidence:
        """What the message has shown, for the judge's rules: pieces that failed are not among it."""
        root = self.envelope.root
        facts = tuple(
            SignatureFact(
                piece.signature,
                piece.key,
                frozenset(at(root, place) for place in piece.covered.places),
                frozenset(piece.covered.tokens),
                frozenset(piece.covered.certificates),
                frozenset(one.digest_method for one in piece.signature.references),
                piece.decrypted,
            )
            for piece in self.signatures.values()
            if piece.error is None and piece.key is not None
        )
        return Evidence(
            self.envelope,
            self.ids,
            self.candidates,
            facts,
            tuple(self._fact(one) for one in self._decrypted),
            dict(self.keys.roots),
            frozenset(self.keys.used),
        )

    def _fact(self, one: Decrypted) -> DecryptionFact:
        found = one.found
        content = found.where is Where.BODY
        element = self.envelope.body if content else at(self.envelope.root, found.place)
        return DecryptionFact(element, content, one.key, found.data.method, found.data.octets)

    # the frame -----------------------------------------------------------------------------------

    def _note(self, error: Refusal, element: etree._Element | None) -> None:
        self.errors.append((error, None if element is None else self.atlas.spot(element)))

    def _check_understood(self) -> None:
        try:
            soap_envelope.check_understood(self.envelope, self.context.understood)
        except SoapError as error:
            attribute = f"{{{self.envelope.version.namespace}}}mustUnderstand"
            told = [one for one in self.envelope.blocks if one.get(attribute) is not None]
            self._note(
                error, next((one for one in told if one.tag == error.detail), told[-1] if told else None)
            )

    def _index(self, root: etree._Element) -> Ids:
        """The ids of a tree; where they are in doubt, the first one of each."""
        try:
            return collect(root, self.context.limits)
        except WSSecurityError as error:
            ids: dict[str, etree._Element] = {}
            culprit = None
            for element in root.iter(etree.Element):
                for name in _IDS:
                    value = element.get(name)
                    if value is None or len(ids) > self.context.limits.ids:
                        continue
                    if error.detail == value or error.detail.endswith(f" and {value}"):
                        culprit = element  # the last one of several
                    if name in _RESOLVED:
                        ids.setdefault(value, element)
            self._note(error, culprit)
            return ids

    # the header ----------------------------------------------------------------------------------

    def _take_apart(self, security: etree._Element) -> None:
        self._read_header(security)
        self.keys.look_in(security, self.ids)
        self._open_signatures()
        self._find()
        if self.context.gate.hidden_signature and not self.signatures:
            inside = [one for one in self.ciphers if one.found.where is Where.SECURITY]
            self._decrypt(inside, only=may_be_signature)
            self._open_signatures()
        pending = [one for one in self.ciphers if one.plaintext is None]
        self._digest([] if self.context.gate.encrypt_before_signing else [one.found.place for one in pending])
        self._decrypt(pending)
        self._open_signatures()
        self._digest([])

    def _read_header(self, security: etree._Element) -> None:
        limits = self.context.limits
        everything = Candidates()
        for index in range(min(len(security), limits.header_children)):
            self._read_child(security[index], index, everything)
        if len(security) > limits.header_children:
            most = f"more than {limits.header_children}"
            self._note(WSSecurityError(Reason.TOO_MANY_HEADER_CHILDREN, most), security)
        try:
            fields.only_elements(security)
            header.read_children(security, (), everything, limits)
        except WSSecurityError as error:
            several = [one for name in _ONCE for one in list(getattr(everything, name))[1:]]
            self._note(error, security[several[0]] if several else security)

    def _read_child(self, element: etree._Element, index: int, everything: Candidates) -> None:
        alone = Candidates()
        try:
            header.read_child(element, index, alone, self.context.limits)
        except (WSSecurityError, SoapError) as error:
            self.children[index] = error
            return
        for name in Candidates.__slots__:
            found = getattr(alone, name)
            getattr(everything, name).update(found)
            known = getattr(self.candidates, name)
            if not (name in _ONCE and known):  # the first one is taken for the one that is meant
                known.update(found)

    # signatures ----------------------------------------------------------------------------------

    def _open_signatures(self) -> None:
        for index, signature in self.candidates.signatures.items():
            if index not in self.signatures and len(self.signatures) < self.context.limits.signatures:
                self.signatures[index] = self._open(signature)

    def _open(self, signature: Signature) -> SignaturePiece:
        piece = SignaturePiece(signature, signature.index in self._revealed)
        piece.digests = [DigestPiece(number, one) for number, one in enumerate(signature.references)]
        piece.key, piece.key_error = _tried(partial(self.keys.for_signature, signature.key))
        opening = partial(open_signature, signature, self.keys, self.context, decrypted=piece.decrypted)
        _, piece.error = _tried(opening)
        return piece

    def _digest(self, hidden: list[Place]) -> None:
        """Make the digests on the present tree that were not made before.

        Args:
            hidden: places of cipher text: what holds any of it is only tried, and waits for the last tree.
        """
        for piece in self.signatures.values():
            opened = Opened(piece.signature, piece.key or _NOBODY, piece.decrypted)
            for one in piece.digests:
                if one.computed is not None:
                    continue
                target = self.ids.get(one.reference.id)
                later = bool(hidden) and waits(target, hidden)
                covered = Covered() if later else piece.covered
                digest, error = _tried(partial(self._digest_of, one.reference, opened, covered))
                if later:
                    one.cipher = digest == one.reference.digest
                    continue
                one.computed, one.error = digest, error
                one.target = None if target is None else self.atlas.spot(target)
                if not one.holds and target is not None:
                    piece.covered.places.discard(place_of(target))

    def _digest_of(self, reference: Reference, opened: Opened, covered: Covered) -> bytes:
        if reference.digest_method not in self.context.gate.digests:
            raise WSSecurityError(Reason.ALGORITHM_NOT_IN_SUITE, reference.digest_method)
        return digest_of(reference, opened, self.envelope, self.ids, covered, self.context)

    # encryption ----------------------------------------------------------------------------------

    def _find(self) -> None:
        try:
            found = find(self.envelope, self.candidates, self.context.limits)
        except WSSecurityError as error:
            self._note(error, self._misplaced(error))
            return
        keys, unresolved = _tried(partial(resolve, found, self.candidates, self.keys))
        for index, one in enumerate(found):
            piece = CipherPiece(one, None if keys is None else keys[index])
            if keys is None:
                piece.key, piece.error = _tried(partial(self._key_of, one.data))
            self.ciphers.append(piece)
        if unresolved is not None and all(piece.error is None for piece in self.ciphers):
            lists = [*self.candidates.reference_lists, *self.candidates.encrypted_keys]
            security = self.envelope.security
            first = found[0].data.element if found else security
            self._note(unresolved, security[lists[0]] if lists and security is not None else first)

    def _misplaced(self, error: WSSecurityError) -> etree._Element:
        """Which EncryptedData stands where none may, or is not what its place wants."""
        inside = [one.element for one in self.candidates.encrypted.values() if one.content]
        blocks = [one for one in self.envelope.blocks if one.tag in (encrypted_data.TAG, ENCRYPTED_HEADER)]
        payload = self.envelope.payload
        if error.detail.startswith("Content"):
            return inside[0]
        if error.detail.startswith(("EncryptedData as", "EncryptedHeader")) and blocks:
            return blocks[0]
        return self.envelope.body if payload is None else payload

    def _key_of(self, data: encrypted_data.EncryptedData) -> SecretKey:
        """The key of one EncryptedData where the lists do not hold as a whole."""
        for index, encrypted in self.candidates.encrypted_keys.items():
            if encrypted.data is not None and data.id in encrypted.data:
                return key_of(data, index, self.keys)
        return key_of(data, None, self.keys)

    def _decrypt(
        self, pieces: Iterable[CipherPiece], *, only: Callable[[Decrypted], bool] = lambda _: True
    ) -> None:
        """Decrypt some, and go on with the tree that this makes.

        Args:
            only: which plaintexts are put into it yet.
        """
        opened: list[tuple[CipherPiece, Decrypted]] = []
        for piece in pieces:
            if piece.key is None:
                continue
            one, piece.error = _tried(partial(decrypt_found, piece.found, piece.key, self.context))
            if one is not None and not one.holds:
                piece.error = WSSecurityError(Reason.DECRYPTION)
            elif one is not None and only(one):
                opened.append((piece, one))
        if opened and not self._splice(opened):
            for pair in opened if len(opened) > 1 else ():  # all but those that do not stay in their place
                self._splice([pair])

    def _splice(self, opened: Collection[tuple[CipherPiece, Decrypted]]) -> bool:
        """Put plaintexts in and read what appeared; false, and nothing is done, where they do not fit."""
        limits = self.context.limits
        mark = self.context.entropy(_NONCE_BYTES).hex()
        grafts = [one.graft for _, one in opened]
        try:
            root = splice(deepcopy(self.envelope.root), grafts, mark, limits)
            self.envelope = soap_envelope.read(root, self.envelope.version, limits)
        except (WSSecurityError, SoapError) as error:
            for piece, _ in opened:
                piece.error = WSSecurityError(Reason.DECRYPTED_STRUCTURE, error.detail)
            return False
        self.ids = self._index(root)
        security = self.envelope.security
        if security is not None:
            self.keys.look_in(security, self.ids)
        for piece, one in opened:
            piece.plaintext, piece.error = one.plaintext, None
            self._decrypted.append(one)
            if one.found.index is not None and security is not None:
                self._reveal(security, one.found.index)
        self._check_understood()
        return True

    def _reveal(self, security: etree._Element, index: int) -> None:
        del self.candidates.encrypted[index]
        if security[index].tag == encrypted_data.TAG:
            self.children[index] = WSSecurityError(Reason.NESTED_ENCRYPTION)
            return
        self._revealed.add(index)
        self._read_child(security[index], index, Candidates())


def _tried(work: Callable[[], _Piece]) -> tuple[_Piece | None, Refusal | None]:
    """What some work gives, or why it does not."""
    try:
        return work(), None
    except (WSSecurityError, SoapError) as error:
        return None, error
