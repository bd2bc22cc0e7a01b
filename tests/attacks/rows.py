"""Rows of the catalogue of bad inputs: one bent message each, and what must become of it.

A row bends one genuine message; :func:`check` asserts the Reason, that the fault is the one uniform
fault and that no state changed (both by :meth:`World.refused`), and that the genuine message is accepted
afterwards. ``hostile`` rows are sent by somebody who may sign: the signature holds, and the message must
be refused nevertheless.
"""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from tests.simulator.bend import (
    BODY,
    HEADER,
    SECURITY,
    SIGNATURE,
    TIMESTAMP,
    WSU_ID,
    Change,
    bend,
    element,
    every,
    insert,
    move,
    one,
    reencrypt,
    remove,
    replace,
    resign,
    sealed,
    secret_of,
    sign_also,
    tree,
)
from tests.simulator.world import World, issued
from wsprovider.exchange.initiator import Pending
from wsprovider.header import binary_security_token, derived_key_token, token_reference
from wsprovider.header import encrypted_key as ek
from wsprovider.policy.model import Policy
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns
from wsprovider.words import uris
from wsprovider.words.errors import SoapError, WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.words.suites import KeyTransport

R = Reason
UT = f"{SECURITY}/wsse:UsernameToken"
EK = f"{SECURITY}/xenc:EncryptedKey"
LIST = f"{SECURITY}/xenc:ReferenceList"
BST = f"{SECURITY}/wsse:BinarySecurityToken"
BODY_DATA = f"{BODY}/xenc:EncryptedData"
INFO = f"{SIGNATURE}/ds:SignedInfo"
STR = f"{SIGNATURE}/ds:KeyInfo/wsse:SecurityTokenReference"
Bent = Callable[[World, Pending], bytes]

SECRET = bytes(range(100, 132))


@dataclass(frozen=True)
class Row:
    id: str
    scenario: str
    reasons: tuple[Reason, ...]
    bent: Bent
    world: dict[str, Any] = field(default_factory=dict)
    accept: dict[str, Any] = field(default_factory=dict)
    policy: Policy | None = None

    def __str__(self) -> str:
        return f"{self.id} [{self.scenario}]"


def changed(
    identifier: str, scenario: str, reason: Reason | tuple[Reason, ...], *several: Change, **world: Any
) -> Row:
    """A stranger changes a message on its way."""
    reasons = reason if isinstance(reason, tuple) else (reason,)
    return Row(identifier, scenario, reasons, lambda _, p: bend(p.data, *several), world)


def raw(
    identifier: str, scenario: str, reason: Reason, change: Callable[[bytes], bytes], **world: Any
) -> Row:
    """A stranger changes its bytes."""
    return Row(identifier, scenario, (reason,), lambda _, p: change(p.data), world)


def changed_bytes(
    identifier: str, scenario: str, reasons: tuple[Reason, ...], change: Callable[[bytes], bytes]
) -> Row:
    return Row(identifier, scenario, reasons, lambda _, p: change(p.data))


def hostile(
    identifier: str, scenario: str, reason: Reason | tuple[Reason, ...], *several: Change, **world: Any
) -> Row:
    """Somebody who may sign makes the signature hold after the change."""
    reasons = reason if isinstance(reason, tuple) else (reason,)

    def bent(world: World, pending: Pending) -> bytes:
        if pending.secrets or pending.context is not None or pending.ticket is not None:
            return bend(pending.data, *several, resign(secret=secret_of(pending)))
        return bend(pending.data, *several, resign(key=world.client.issued.key))

    return Row(identifier, scenario, reasons, bent, world)


def entity(declarations: str, use: str) -> Callable[[bytes], bytes]:
    """A document type declaration, and something that uses it."""

    def change(data: bytes) -> bytes:
        return f"<!DOCTYPE x [{declarations}]>".encode() + data.replace(b"hello", use.encode())

    return change


def beside(xml: str) -> Change:
    """A header block beside Security."""
    return insert(HEADER, xml, 0)


def _only_a_comment(root: etree._Element) -> None:
    body = one(root, BODY)
    body.replace(body[0], etree.Comment("x"))


def by_text(pattern: str, replacement: str) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        found, count = re.subn(pattern.encode(), replacement.encode(), data, count=1)
        assert count == 1
        return found

    return change


def _renamed(found: etree._Element, identifier: str) -> etree._Element:
    copied = etree.fromstring(etree.tostring(found))
    copied.set(WSU_ID, identifier)
    return copied


def _reference(change: Change) -> Change:
    """Change the first Reference only."""
    return lambda root: change(one(root, f"({INFO}/ds:Reference)[1]"))


_PLACES = {"TS": TIMESTAMP, "Body": BODY}


def _unsigned(kind: str) -> Change:
    """Take the Reference to the Timestamp, the Body or the UsernameToken out.

    The token's id may be inside ciphertext: it is the Reference to nothing else that can be seen.
    """

    def change(root: etree._Element) -> None:
        info = one(root, INFO)
        ids = {found.get(WSU_ID) for path in _PLACES.values() for found in every(root, path)}
        if kind in _PLACES:
            wanted = {one(root, _PLACES[kind]).get(WSU_ID)}
        else:
            tokens = {found.get(WSU_ID) for found in every(root, UT)}
            hidden = {reference.get("URI", "")[1:] for reference in every(info, "ds:Reference")} - ids
            wanted = tokens or hidden
        found = [named for named in every(info, "ds:Reference") if named.get("URI", "")[1:] in wanted]
        assert len(found) == 1, f"{len(found)} References to {kind}"
        info.remove(found[0])

    return change


def _transform(algorithm: str, inner: str = "") -> Change:
    return replace(
        "ds:Transforms/ds:Transform", f'<ds:Transform Algorithm="{algorithm}">{inner}</ds:Transform>'
    )


def _bare(root: etree._Element, number: int) -> etree._Element:
    copied = etree.fromstring(etree.tostring(one(root, f"({SIGNATURE})[1]")))
    copied.set("Id", f"copy-{number}")
    return copied


def _octets(root: etree._Element, path: str, change: Callable[[bytes], bytes]) -> None:
    found = one(root, path)
    found.text = base64.b64encode(change(base64.b64decode(found.text or ""))).decode()


def _token_of_mallory() -> etree._Element:
    return etree.fromstring(binary_security_token.write("mallory", issued("mallory").certificate))


def _by_mallory(root: etree._Element) -> etree._Element:
    copied = _bare(root, 0)
    one(copied, "ds:KeyInfo//wsse:Reference").set("URI", "#mallory")
    method = one(copied, "ds:SignedInfo/ds:SignatureMethod").get("Algorithm")
    octets = etree.tostring(copied[0], method="c14n", exclusive=True, with_tail=False)
    from wsprovider.crypto.algorithms import sign_asymmetric

    one(copied, "ds:SignatureValue").text = base64.b64encode(
        sign_asymmetric(method, issued("mallory").key, octets)
    ).decode()
    return copied


def _other_key(w: World, secret: bytes, identifier: str = "EK-2", inside: str = "") -> bytes:
    """An EncryptedKey of a sender's own making."""
    from wsprovider.crypto.ciphers import wrap_key

    transport = KeyTransport(alg.RSA_OAEP_MGF1P)
    certificate = w.service.certificate
    named = token_reference.write_key_identifier(uris.THUMBPRINT_SHA1, certificate.thumbprint_sha1)
    return ek.write(identifier, transport, named, wrap_key(transport, certificate.public_key, secret), inside)


def _listed(*identifiers: str) -> Change:
    def change(root: etree._Element) -> None:
        for identifier in identifiers:
            one(root, LIST).append(element(f'<xenc:DataReference URI="#{identifier}"/>'))

    return change


def _sealed_sibling(
    w: World, p: Pending, path: str, *, content: bool, plaintext: bytes, listed: bool = True
) -> bytes:
    """One more EncryptedData under the right key, and listed."""
    secret = secret_of(p)
    key_id = one(tree(p.data), EK).get("Id", "")
    data = sealed("ED-x", plaintext, secret, key_id, content=content, method=alg.AES256_CBC)
    several = [insert(path, data, 0), *([_listed("ED-x")] if listed else [])]
    return bend(p.data, *several, resign(secret=secret))


def _copy(found: etree._Element, identifier: str) -> etree._Element:
    copied = etree.fromstring(etree.tostring(found))
    copied.set("Id", identifier)
    return copied


def _derived(p: Pending, identifier: str = "DK-x", length: int = 32) -> bytes:
    named = token_reference.write_local(one(tree(p.data), EK).get("Id", ""), uris.ENCRYPTED_KEY)
    return derived_key_token.write(identifier, ns.WSC_200512, named, length, bytes(16))


def _signature_in_ciphertext(w: World, p: Pending) -> bytes:
    root = tree(p.data)
    copied = _bare(root, 1)
    return _sealed_sibling(w, p, SECURITY, content=False, plaintext=etree.tostring(copied))


def _in_box(data: bytes) -> bytes:
    """The Body's EncryptedData in a header block that is none of ours."""
    return bend(data, beside("<e:box/>"), move(BODY_DATA, f"{HEADER}/e:box"))


def _encrypted_header(p: Pending, plaintext: bytes) -> bytes:
    secret = secret_of(p)
    key_id = one(tree(p.data), EK).get("Id", "")
    data = sealed("ED-x", plaintext, secret, key_id, content=False, method=alg.AES256_CBC)
    return bend(
        p.data,
        insert(HEADER, f"<wsse11:EncryptedHeader>{data.decode()}</wsse11:EncryptedHeader>", 0),
        _listed("ED-x"),
        resign(secret=secret),
    )


def _encrypt_anyway(p: Pending) -> bytes:
    secret = secret_of(p)
    root = tree(p.data)
    content = b"".join(etree.tostring(child) for child in one(root, BODY))
    data = sealed("ED-x", content, secret, one(root, EK).get("Id", ""), content=True, method=alg.AES256_CBC)
    return bend(
        p.data,
        insert(SECURITY, "<xenc:ReferenceList><xenc:DataReference URI='#ED-x'/></xenc:ReferenceList>", 2),
        replace(f"{BODY}/*", data),
    )


def _in_clear(p: Pending, path: str) -> bytes:
    """Who knows the key sends it in clear; the signature is over the plaintext, so it holds."""
    from tests.simulator.bend import plaintext_of

    def change(root: etree._Element) -> None:
        data = one(root, path)
        plain = plaintext_of(data, secret_of(p))
        identifier = data.get("Id")
        parent = data.getparent()
        parent.replace(data, element(plain.decode()))
        for listed in one(root, LIST):
            if listed.get("URI") == f"#{identifier}":
                one(root, LIST).remove(listed)
        if len(one(root, LIST)) == 0:
            remove(LIST)(root)

    return bend(p.data, change)


def _signed_over_tls(w: World, p: Pending) -> bytes:
    donor = World("3")
    donor.now = w.now
    signed = donor.request()
    root = tree(signed.data)
    return bend(
        p.data,
        insert(SECURITY, one(root, EK)),
        insert(SECURITY, one(root, SIGNATURE)),
        lambda bent: [one(bent, INFO).remove(r) for r in one(bent, INFO).findall("{*}Reference")],
        sign_also(one(tree(p.data), TIMESTAMP).get(WSU_ID)),
        resign(secret=secret_of(signed)),
    )


def _with_token(p: Pending, change: Callable[[bytes], bytes]) -> bytes:
    return bend(p.data, reencrypt(f"{SECURITY}/xenc:EncryptedData", secret_of(p), change))


def _without_token(p: Pending) -> bytes:
    def change(root: etree._Element) -> None:
        data = one(root, f"{SECURITY}/xenc:EncryptedData")
        for listed in list(one(root, LIST)):
            if listed.get("URI") == f"#{data.get('Id')}":
                one(root, LIST).remove(listed)
        one(root, SECURITY).remove(data)

    return bend(p.data, change, _unsigned("UT"), resign(secret=secret_of(p)))


def check(row: Row, *instead: Reason) -> Reason:
    """A row's message is refused for its reason, and the genuine one is served; the Reason.

    Args:
        instead: the reasons, where they are not the row's.
    """
    world = World(row.policy or row.scenario, **row.world)
    if world.conversation:
        world.open()
    genuine = world.request()
    error = world.refused(row.bent(world, genuine), **row.accept)
    assert error.reason in (instead or row.reasons), f"{error!r}"
    assert isinstance(error, SoapError if error.reason.fault_code == "-" else WSSecurityError)
    reply = world.reply(world.accept(genuine.data))
    world.initiator.accept(genuine, reply, secure=world.transport.secure)
    return error.reason
