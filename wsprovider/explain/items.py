"""The parts of a message in words: each child of the Security header, then Body and header blocks."""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from lxml import etree

from wsprovider.explain.dissection import Dissection
from wsprovider.explain.keys import (
    certificate_facts,
    key_words,
    named_certificate,
    our_keys,
    reference_words,
)
from wsprovider.explain.pieces import CipherPiece, SignaturePiece
from wsprovider.explain.report import Fact, Item, Refusal, Standing, Trouble, detail_of, shown
from wsprovider.header import timestamp
from wsprovider.header.binary_security_token import BinarySecurityToken
from wsprovider.header.derived_key_token import DerivedKeyToken
from wsprovider.header.encrypted_key import EncryptedKey
from wsprovider.header.signature_confirmation import SignatureConfirmation
from wsprovider.header.token_reference import LocalReference
from wsprovider.header.username_token import UsernameToken
from wsprovider.inbound.decrypting import Where
from wsprovider.inbound.finding import Freshness
from wsprovider.inbound.keys import Keys
from wsprovider.inbound.rules.timestamp import staleness
from wsprovider.words.errors import SoapError, WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.xml.places import at

_BLOCKS = 40


class Describing:
    """The items of one dissection; used once."""

    def __init__(self, dissection: Dissection, freshness: Freshness, *, show: bool) -> None:
        """Take the pieces.

        Args:
            show: passwords are told.
        """
        self._whole, self._freshness, self._show = dissection, freshness, show
        self._now = dissection.context.now
        # resolved here for the report: what nothing in the message uses must stay unused in the evidence
        self._probe = Keys(dissection.candidates, dissection.context)
        if dissection.envelope.security is not None:
            self._probe.look_in(dissection.envelope.security, dissection.ids)

    def items(self) -> Iterator[Item]:
        """Every item, in the order of the message."""
        whole = self._whole
        for error, spot in whole.errors:
            yield Item(
                "The message", spot, Standing.FAILS, (), (Trouble(error.reason, detail_of(error), spot),)
            )
        security = whole.envelope.security
        for index, element in enumerate(() if security is None else security):
            if index >= whole.context.limits.header_children:
                break
            item = self._child(index, element)
            piece = next((one for one in whole.ciphers if one.found.index == index and one.plaintext), None)
            if piece is not None:
                item = replace(item, facts=(("was encrypted", shown(piece.found.data.method)), *item.facts))
            yield item
        for piece in whole.ciphers:
            if piece.found.where is not Where.SECURITY:
                yield self._cipher(piece)
        yield from self._blocks()

    # children of the Security header ---------------------------------------------------------------

    def _child(self, index: int, element: etree._Element) -> Item:
        whole, candidates = self._whole, self._whole.candidates
        error = whole.children.get(index)
        if error is not None:
            return self._item(element, [], [error])
        hidden = next(
            (one for one in whole.ciphers if one.found.index == index and one.error is not None), None
        )
        if hidden is not None:
            return self._cipher(hidden)
        kinds: tuple[tuple[Mapping[int, Any], Callable[[etree._Element, Any], Item]], ...] = (
            (whole.signatures, self._signature),
            (candidates.timestamps, self._timestamp),
            (candidates.usernames, self._username),
            (candidates.certificates, self._certificate),
            (candidates.encrypted_keys, self._encrypted_key),
            (candidates.derived_keys, self._derived),
        )
        for found, describe in kinds:
            if index in found:
                return describe(element, found[index])
        return self._other(index, element)

    def _other(self, index: int, element: etree._Element) -> Item:
        candidates = self._whole.candidates
        facts: list[Fact] = []
        errors: list[Refusal] = []
        if index in candidates.contexts:
            context = candidates.contexts[index]
            facts = [
                ("identifier", shown(context.identifier)),
                ("instance", shown(context.instance or "the first")),
            ]
            self._resolve(index, facts, errors)
        elif index in candidates.tickets:
            facts = [("AP-REQ", f"{len(candidates.tickets[index].octets)} bytes")]
            self._resolve(index, facts, errors)
        elif index in candidates.confirmations:
            facts = [("value", _confirmed(candidates.confirmations[index]))]
        elif index in candidates.reference_lists:
            facts = [("lists", ", ".join(f"#{shown(one, 60)}" for one in candidates.reference_lists[index]))]
        else:
            note = "not looked at: there are too many of its kind, or it stands where it may not"
            return replace(self._item(element, [("note", note)], []), standing=Standing.OPEN)
        return self._item(element, facts, errors)

    def _resolve(self, index: int, facts: list[Fact], errors: list[Refusal]) -> None:
        """What a key of the header is good for, by itself."""
        try:
            facts.append(("key", key_words(self._probe.of_encrypted_key(index), self._now)))
        except (WSSecurityError, SoapError) as error:
            errors.append(error)

    def _item(self, element: etree._Element, facts: list[Fact], errors: list[Refusal], *parts: Item) -> Item:
        spot = self._whole.atlas.spot(element)
        troubles = tuple(Trouble(one.reason, detail_of(one), spot) for one in errors)
        bad = troubles or any(part.standing is Standing.FAILS for part in parts)
        title = shown(etree.QName(element).localname, 60)
        return Item(title, spot, Standing.FAILS if bad else Standing.HOLDS, tuple(facts), troubles, parts)

    def _timestamp(self, element: etree._Element, stamp: timestamp.Timestamp) -> Item:
        age = (self._now - stamp.created).total_seconds()
        facts = [("created", f"{_moment(stamp.created)}, {_apart(age)}")]
        if stamp.expires is not None:
            left = (stamp.expires - self._now).total_seconds()
            facts.append(("expires", f"{_moment(stamp.expires)}, {_apart(-left)}"))
        stale = staleness(stamp, self._now, self._freshness)
        return self._item(
            element, facts, [] if stale is None else [WSSecurityError(stale.reason, stale.detail)]
        )

    def _username(self, element: etree._Element, token: UsernameToken) -> Item:
        kind = "none" if token.password is None else "a digest" if token.digest else "in clear"
        facts = [("name", shown(token.username)), ("password", kind)]
        if self._show and token.password is not None:
            facts.append(("password's value", shown(token.password)))
        if token.created is not None:
            facts.append(("created", shown(token.created)))
        if token.nonce is not None:
            facts.append(("nonce", base64.b64encode(token.nonce).decode("ascii")))
        return self._item(element, facts, [])

    def _certificate(self, element: etree._Element, token: BinarySecurityToken) -> Item:
        return self._item(element, list(certificate_facts(token.certificate.der)), [])

    def _encrypted_key(self, element: etree._Element, key: EncryptedKey) -> Item:
        transport = " ".join(filter(None, (key.transport.method, key.transport.digest, key.transport.mgf)))
        facts: list[Fact] = [("method", shown(transport)), ("for", reference_words(key.key))]
        der = named_certificate(self._whole, key.key)
        if der is not None and not isinstance(key.key.key, LocalReference):
            facts += certificate_facts(der)
        facts += our_keys(self._whole, key.key)
        if key.data is not None:
            facts.append(("encrypts", ", ".join(f"#{shown(one, 60)}" for one in key.data)))
        errors: list[Refusal] = []
        self._resolve(key.index, facts, errors)
        return self._item(element, facts, errors)

    def _derived(self, element: etree._Element, token: DerivedKeyToken) -> Item:
        facts = [
            ("from", reference_words(token.source)),
            ("label", shown(token.label.decode("utf-8", "replace"))),
            ("length", f"{token.length} bytes from byte {token.offset} on"),
        ]
        errors: list[Refusal] = []
        self._resolve(token.index, facts, errors)
        return self._item(element, facts, errors)

    # signatures ------------------------------------------------------------------------------------

    def _signature(self, element: etree._Element, piece: SignaturePiece) -> Item:
        signature = piece.signature
        facts: list[Fact] = [
            ("method", shown(signature.method)),
            ("key named", reference_words(signature.key)),
        ]
        der = named_certificate(self._whole, signature.key)
        if der is not None and not isinstance(
            signature.key.key, LocalReference
        ):  # else it is told with its token
            facts += certificate_facts(der)
        if piece.key is not None:
            facts.append(("key", key_words(piece.key, self._now)))
        facts.append(("value", "holds" if piece.error is None else "not shown to hold"))
        errors = [one for one in (piece.key_error,) if one is not None]
        if piece.error is not None and (piece.error.reason, piece.error.detail) not in [
            (e.reason, e.detail) for e in errors
        ]:
            errors.append(piece.error)
        nodes = signature.signed_info.findall(f"{{{etree.QName(element).namespace}}}Reference")
        parts = [self._reference(node, piece, number) for number, node in enumerate(nodes)]
        return self._item(element, facts, errors, *parts)

    def _reference(self, node: etree._Element, piece: SignaturePiece, number: int) -> Item:
        digest = piece.digests[number]
        spot = self._whole.atlas.spot(node)
        target = "nothing in this message" if digest.target is None else str(digest.target)
        facts = [
            ("covers", f"#{shown(digest.reference.id)}: {target}"),
            ("digest", shown(digest.reference.digest_method)),
        ]
        if digest.reference.dereferenced:
            facts.append(("transform", "STR-Transform: the token that it names"))
        if digest.holds:
            return Item("Reference", spot, Standing.HOLDS, tuple(facts))
        troubles = []
        if digest.error is not None:
            troubles.append(Trouble(digest.error.reason, digest.error.detail, spot))
        if digest.computed is not None:
            facts.append(("signed", base64.b64encode(digest.reference.digest).decode("ascii")))
            facts.append(("computed", base64.b64encode(digest.computed).decode("ascii")))
            troubles.append(Trouble(Reason.DIGEST_MISMATCH, digest.reference.id, digest.target or spot))
        if digest.cipher:
            facts.append(
                ("note", "the digest is that of the cipher text: the sender encrypted before it signed")
            )
        return Item("Reference", spot, Standing.FAILS, tuple(facts), tuple(troubles))

    # encryption, Body and header blocks ------------------------------------------------------------

    def _cipher(self, piece: CipherPiece) -> Item:
        data = piece.found.data
        facts: list[Fact] = [("method", shown(data.method))]
        if data.key is not None:
            facts.append(("key named", reference_words(data.key)))
        if piece.key is not None:
            facts.append(("key", key_words(piece.key, self._now)))
        if piece.plaintext is not None:
            facts.append(
                (
                    "decrypted",
                    f"to {len(piece.plaintext)} bytes of {'content' if data.content else 'an element'}",
                )
            )
        return self._item(data.element, facts, [] if piece.error is None else [piece.error])

    def _blocks(self) -> Iterator[Item]:
        """How Body and header blocks are protected, by what was shown."""
        whole = self._whole
        evidence = whole.evidence
        covered = {one for fact in evidence.signatures for one in fact.covered}
        decrypted = {fact.element for fact in evidence.decryptions}
        envelope = whole.envelope
        blocks = [] if envelope.header is None else list(envelope.header)[:_BLOCKS]
        for element in (*(one for one in blocks if one is not envelope.security), envelope.body):
            facts = [
                ("signed", "yes" if element in covered else "no"),
                ("encrypted", "yes" if element in decrypted else "no, or not decrypted"),
            ]
            title = shown(etree.QName(element).localname, 60)
            yield Item(title, whole.atlas.spot(element), Standing.TOLD, tuple(facts))

    def contents(self) -> Iterator[tuple[etree._Element, str]]:
        """What was decrypted, each with the element that it is in."""
        root = self._whole.envelope.root
        for piece in self._whole.ciphers:
            if piece.plaintext is not None:
                place = piece.found.place[:-1] if piece.found.where is Where.BODY else piece.found.place
                yield at(root, place), piece.plaintext.decode("utf-8", "replace")


def _confirmed(confirmation: SignatureConfirmation) -> str:
    value = confirmation.value
    return (
        "none: the request had no signature"
        if value is None
        else base64.b64encode(value).decode("ascii")[:120]
    )


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"


def _apart(seconds: float) -> str:
    """How far a moment is from the clock; positive: in the past."""
    if abs(seconds) < 0.001:
        return "just at the clock"
    return f"{seconds:.0f} s before the clock" if seconds > 0 else f"{-seconds:.0f} s after the clock"
