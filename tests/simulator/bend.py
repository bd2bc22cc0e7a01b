"""Bending a genuine message: one change at a time, to see what the service makes of it.

::

    forged = bend(exchange.request, lambda root: set_text(one(root, "//e:text"), "forged"))
    signed = bend(exchange.request, remove("//wsu:Timestamp"), resign(secret=secret_of(pending)))

A change is a function of the message's root. Everything that is not touched stays digestible: lxml
writes back what it has read, and canonical form does the rest. Helpers with a path take XPath with the
prefixes of :data:`NS`, and insist on finding exactly one element.
"""

import base64
import copy
from collections.abc import Callable, Sequence
from typing import Any, cast

from lxml import etree

from wsprovider.crypto.algorithms import DIGESTS, PrivateKey, sign_asymmetric, sign_symmetric
from wsprovider.crypto.ciphers import decrypt, encrypt
from wsprovider.exchange.initiator import Pending
from wsprovider.header import encrypted_data
from wsprovider.header import token_reference as str_
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns
from wsprovider.words import uris

NS = {
    "s": ns.SOAP11,
    "s12": ns.SOAP12,
    "ds": ns.DS,
    "xenc": ns.XENC,
    "wsse": ns.WSSE,
    "wsse11": ns.WSSE11,
    "wsu": ns.WSU,
    "wsc": ns.WSC_200512,
    "wsc05": ns.WSC_200502,
    "ec": ns.EXC_C14N,
    "wsa": ns.WSA_200508,
    "e": "urn:wsprovider:echo",
}
WSU_ID = f"{{{ns.WSU}}}Id"
BODY = "/*/*[local-name()='Body']"
HEADER = "/*/*[local-name()='Header']"
SECURITY = "/*/*[local-name()='Header']/wsse:Security"
TIMESTAMP = f"{SECURITY}/wsu:Timestamp"
SIGNATURE = f"{SECURITY}/ds:Signature"

Change = Callable[[etree._Element], object]


def tree(message: bytes) -> etree._Element:
    """The message as a tree."""
    return etree.fromstring(message, etree.XMLParser(huge_tree=True))


def bend(message: bytes, *changes: Change) -> bytes:
    """The message after some changes."""
    root = tree(message)
    for change in changes:
        change(root)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=False)


def every(root: etree._Element, path: str) -> list[etree._Element]:
    """The elements at a path."""
    return cast("list[etree._Element]", root.xpath(path, namespaces=NS))


def one(root: etree._Element, path: str) -> etree._Element:
    """The only element at a path."""
    found = every(root, path)
    assert len(found) == 1, f"{len(found)} elements at {path}"
    return found[0]


def element(xml: str | bytes) -> etree._Element:
    """An element from text that may use the prefixes of :data:`NS`."""
    text = xml.decode() if isinstance(xml, bytes) else xml
    declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NS.items())
    return etree.fromstring(f"<x {declared}>{text}</x>")[0]


# changes ---------------------------------------------------------------------------------------


def text(path: str, value: str) -> Change:
    """Put other text in."""

    def change(root: etree._Element) -> None:
        one(root, path).text = value

    return change


def attribute(path: str, name: str, value: str | None) -> Change:
    """Set an attribute, or take it away."""

    def change(root: etree._Element) -> None:
        found = one(root, path)
        if value is None:
            del found.attrib[name]
        else:
            found.set(name, value)

    return change


def remove(path: str) -> Change:
    """Take an element away."""

    def change(root: etree._Element) -> None:
        found = one(root, path)
        parent = found.getparent()
        assert parent is not None
        parent.remove(found)

    return change


def insert(path: str, xml: str | bytes | etree._Element, index: int | None = None) -> Change:
    """Put an element into another one, as its last child or at an index."""

    def change(root: etree._Element) -> None:
        parent = one(root, path)
        child = copy.deepcopy(xml) if isinstance(xml, etree._Element) else element(xml)
        child.tail = None
        parent.insert(len(parent) if index is None else index, child)

    return change


def replace(path: str, xml: str | bytes | etree._Element) -> Change:
    """Put one element in the place of another."""

    def change(root: etree._Element) -> None:
        found = one(root, path)
        parent = found.getparent()
        assert parent is not None
        child = copy.deepcopy(xml) if isinstance(xml, etree._Element) else element(xml)
        child.tail = None
        parent.replace(found, child)

    return change


def duplicate(path: str) -> Change:
    """Put a copy behind an element."""

    def change(root: etree._Element) -> None:
        found = one(root, path)
        found.addnext(copy.deepcopy(found))

    return change


def move(path: str, to: str, index: int | None = None) -> Change:
    """Move an element to another parent, or within its own."""

    def change(root: etree._Element) -> None:
        found, parent = one(root, path), one(root, to)
        former = found.getparent()
        assert former is not None
        former.remove(found)
        parent.insert(len(parent) if index is None else index, found)

    return change


def flip(path: str, *, octet: int = 0, bit: int = 1) -> Change:
    """Flip a bit of the octets that an element holds in Base64."""

    def change(root: etree._Element) -> None:
        found = one(root, path)
        octets = bytearray(base64.b64decode(found.text or ""))
        octets[octet] ^= bit
        found.text = base64.b64encode(bytes(octets)).decode("ascii")

    return change


# a hostile sender signs and encrypts as well -----------------------------------------------------


def secret_of(pending: Pending) -> bytes:
    """The secret of a request in a symmetric binding, or of its context or ticket, which its sender knows."""
    if pending.context is not None:
        return pending.context.secret
    if pending.ticket is not None and not pending.secrets:
        return pending.ticket.secret
    (secret,) = pending.secrets.values()
    return secret


def resign(
    *,
    secret: bytes | None = None,
    key: PrivateKey | None = None,
    path: str = SIGNATURE,
    digests: bool = True,
    encrypted: bool = False,
) -> Change:
    """Compute the digests and the value of a signature anew, with whatever it says by now.

    Args:
        secret, key: what signs.
        digests: compute the digests anew; else only the value.
        encrypted: those of parts that hold ciphertext, too (where encryption comes first).
    """

    def change(root: etree._Element) -> None:
        signature = one(root, path)
        if digests:
            for reference in signature.iterfind(f"{{{ns.DS}}}SignedInfo/{{{ns.DS}}}Reference"):
                _digest(root, reference, encrypted=encrypted)
        info = one(signature, "ds:SignedInfo")
        method = one(info, "ds:SignatureMethod").get("Algorithm", "")
        octets = _canonical(info, one(info, "ds:CanonicalizationMethod"))
        if secret is not None:
            value = sign_symmetric(method, secret, octets)
        else:
            assert key is not None
            value = sign_asymmetric(method, key, octets)
        one(signature, "ds:SignatureValue").text = base64.b64encode(value).decode("ascii")

    return change


def _digest(root: etree._Element, reference: etree._Element, *, encrypted: bool) -> None:
    identifier = reference.get("URI", "")[1:]
    found = [
        target
        for target in root.iter(etree.Element)
        if identifier in (target.get(WSU_ID), target.get("Id")) and not _inside(target, reference)
    ]
    if len(found) != 1:
        return
    if not encrypted and every(found[0], "descendant-or-self::xenc:EncryptedData"):
        return
    method = one(reference, "ds:DigestMethod").get("Algorithm", "")
    transforms = every(reference, "ds:Transforms/ds:Transform")
    if method not in DIGESTS or any(t.get("Algorithm") == alg.STR_TRANSFORM for t in transforms):
        return
    octets = _canonical(found[0], transforms[0]) if transforms else _canonical(found[0], None)
    value = base64.b64encode(DIGESTS[method].digest(octets)).decode("ascii")
    one(reference, "ds:DigestValue").text = value


def _inside(target: etree._Element, reference: etree._Element) -> bool:
    return any(ancestor is target for ancestor in reference.iterancestors())


def _canonical(target: etree._Element, method: etree._Element | None) -> bytes:
    prefixes: list[str] = []
    if method is not None:
        for inclusive in method.iter(f"{{{ns.EXC_C14N}}}InclusiveNamespaces"):
            prefixes += inclusive.get("PrefixList", "").split()
    return etree.tostring(
        target,
        method="c14n",
        exclusive=True,
        with_comments=False,
        with_tail=False,
        inclusive_ns_prefixes=prefixes or None,
    )


def sign_also(*identifiers: str, before: int = 2, path: str = SIGNATURE, digest: str = alg.SHA256) -> Change:
    """Add References for some ids to a signature; sign anew afterwards."""

    def change(root: etree._Element) -> None:
        info = one(root, f"{path}/ds:SignedInfo")
        for identifier in identifiers:
            info.insert(
                before,
                element(
                    f'<ds:Reference URI="#{identifier}"><ds:Transforms><ds:Transform '
                    f'Algorithm="{alg.EXC_C14N}"/></ds:Transforms><ds:DigestMethod Algorithm="{digest}"/>'
                    f"<ds:DigestValue></ds:DigestValue></ds:Reference>"
                ),
            )

    return change


def sealed(
    identifier: str,
    plaintext: bytes,
    secret: bytes,
    reference: str,
    *,
    content: bool,
    method: str = alg.AES256_GCM,
    entropy: Callable[[int], bytes] = bytes,
) -> bytes:
    """An EncryptedData of a sender who knows the key.

    Args:
        reference: id of the key's element.
    """
    return encrypted_data.write(
        identifier,
        content=content,
        method=method,
        reference=str_.write_local(reference, None, uris.ENCRYPTED_KEY),
        octets=encrypt(method, secret, plaintext, entropy),
    )


def reencrypt(
    path: str, secret: bytes, plaintext: bytes | Callable[[bytes], bytes], *, method: str | None = None
) -> Change:
    """Give an EncryptedData another plaintext under the key that its sender knows."""

    def change(root: etree._Element) -> None:
        data = one(root, path)
        named = one(data, "xenc:EncryptionMethod").get("Algorithm", "")
        value = one(data, "xenc:CipherData/xenc:CipherValue")
        content = plaintext(plaintext_of(data, secret)) if callable(plaintext) else plaintext
        octets = encrypt(method or named, secret, content, lambda size: bytes(range(size)))
        value.text = base64.b64encode(octets).decode("ascii")

    return change


def plaintext_of(data: etree._Element, secret: bytes) -> bytes:
    """What an EncryptedData holds."""
    method = one(data, "xenc:EncryptionMethod").get("Algorithm", "")
    value = one(data, "xenc:CipherData/xenc:CipherValue").text or ""
    return decrypt(method, secret, base64.b64decode(value))


def changes(*several: Change) -> Change:
    """Several changes as one."""

    def change(root: etree._Element) -> None:
        for each in several:
            each(root)

    return change


def ids(root: etree._Element) -> Sequence[str]:
    """All ids in use."""
    found: Any = root.xpath("//@wsu:Id | //@Id", namespaces=NS)
    return [str(value) for value in found]
