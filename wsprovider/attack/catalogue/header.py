"""Groups D and E: the Security header's structure, and signature wrapping."""

import copy
import itertools
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from wsprovider.attack.bend import (
    BODY,
    HEADER,
    SECURITY,
    SIGNATURE,
    TIMESTAMP,
    WSU_ID,
    Unbendable,
    attribute,
    duplicate,
    element,
    insert,
    move,
    one,
    remove,
    replace,
    text,
    within,
)
from wsprovider.attack.caller import Genuine, Step
from wsprovider.attack.forge import sealed
from wsprovider.attack.line import Letter
from wsprovider.attack.variants import (
    BODY_DATA,
    BST,
    EK,
    INFO,
    REFERENCE,
    STR,
    UT,
    Answers,
    Sender,
    Variant,
    beside,
    built,
    changed,
    emptied,
    forged,
    listed,
    multiplied,
    only,
    sealable,
    sent,
)
from wsprovider.crypto.ciphers import wrap_key
from wsprovider.header import binary_security_token, encrypted_key, token_reference
from wsprovider.policy.model import Layout
from wsprovider.words import namespaces as ns
from wsprovider.words import uris

_DOCUMENTED = Answers.DOCUMENTED
_PARTS: Final = {"Body": BODY, "Timestamp": TIMESTAMP}
_PLACES: Final = {
    "first in the Header": (HEADER, 0),
    "last in the Header": (HEADER, None),
    "first in the Envelope": ("/*", 0),
    "last in the Envelope": ("/*", None),
    "first in Security": (SECURITY, 0),
    "last in Security": (SECURITY, None),
    "in the Signature": (SIGNATURE, None),
    "in SignedInfo": (INFO, None),
    "in KeyInfo": (f"{SIGNATURE}/ds:KeyInfo", None),
    "in the Body": (BODY, 0),
    "in the payload": (f"{BODY}/*", None),
    "in the forged one": ("forged", 0),
}
_WRAPPERS: Final = {
    "bare": None,
    "in an Object": "<ds:Object/>",
    "in a header of another role": '<x:wrapper s:actor="urn:other" s:mustUnderstand="0"/>',
}
_IDS: Final = ("same", "new", "none", "Id", "xml:id")


def _signed_id(genuine: Genuine, path: str) -> str:
    """The id under which the signature covers an element.

    Raises:
        Unbendable: it does not.
    """
    identifier = one(genuine.root, path).get(WSU_ID, "")
    if not genuine.has(f"{INFO}/ds:Reference[@URI='#{identifier}']"):
        raise Unbendable("the signature does not cover it")
    return identifier


def _forge(original: etree._Element, identity: str) -> etree._Element:
    """A copy that says something else, under the same id, another one, none, or one of another kind."""
    found = copy.deepcopy(original)
    found.tail = None
    leaves = [leaf for leaf in found.iter(etree.Element) if not len(leaf) and (leaf.text or "").strip()]
    if leaves and leaves[-1].tag != f"{{{ns.XENC}}}CipherValue":
        said = leaves[-1].text or ""  # the last digit of a time, or the last letter but one of anything
        leaves[-1].text = f"{said[:-2]}{'1' if said[-2:-1] != '1' else '2'}{said[-1:]}"
    else:
        found[:] = [element("<x:forged/>")]
    identifier = found.attrib.pop(WSU_ID, "")
    named = {
        "same": (WSU_ID, identifier),
        "new": (WSU_ID, "forged"),
        "Id": ("Id", identifier),
        "xml:id": (f"{{{ns.XML}}}id", identifier),
    }
    if identity in named:
        found.set(*named[identity])
    return found


def _wrapping(part: str, place: str, wrapper: str, identity: str) -> Variant:
    """The signed element moves away, and a forged one takes its place."""

    def make(genuine: Genuine) -> Letter:
        _signed_id(genuine, _PARTS[part])

        def change(root: etree._Element) -> None:
            original = one(root, _PARTS[part])
            fake = _forge(original, identity)
            within(original).replace(original, fake)
            path, index = _PLACES[place]
            target = fake if path == "forged" else one(root, path)
            moved = copy.deepcopy(original)
            moved.tail = None
            xml = _WRAPPERS[wrapper]
            if xml is not None:
                around = element(xml)
                around.append(moved)
                moved = around
            target.insert(len(target) if index is None else index, moved)

        return sent(genuine, genuine.bent(change))

    what = f"{part} {place}, {wrapper}; the forged one's id: {identity}"
    return Variant("E01" if part == "Body" else "E02", what, Sender.STRANGER, make, _DOCUMENTED)


def _second(part: str, identity: str, *, behind: bool) -> Variant:
    """The forged element beside the genuine one."""

    def make(genuine: Genuine) -> Letter:
        _signed_id(genuine, _PARTS[part])

        def change(root: etree._Element) -> None:
            original = one(root, _PARTS[part])
            (original.addnext if behind else original.addprevious)(_forge(original, identity))

        return sent(genuine, genuine.bent(change))

    where = "behind" if behind else "before"
    return Variant("E06", f"a second {part} {where}, id: {identity}", Sender.STRANGER, make, _DOCUMENTED)


def _ciphertext(place: str) -> Variant:
    """The Body's ciphertext elsewhere, and a Body in clear in its place (E17)."""

    def make(genuine: Genuine) -> Letter:
        path, index = _PLACES[place]
        payload = genuine.caller.body_of(genuine)[0]

        def change(root: etree._Element) -> None:
            data = one(root, BODY_DATA)
            within(data).replace(data, copy.deepcopy(payload))
            target = one(root, path)
            target.insert(len(target) if index is None else index, data)

        return sent(genuine, genuine.bent(change))

    return Variant("E17", f"ciphertext {place}, a Body in clear", Sender.STRANGER, make, _DOCUMENTED)


WRAPPING = [
    *(_wrapping(part, place, "bare", "new") for part, place in itertools.product(_PARTS, _PLACES)),
    *(_wrapping(part, place, wrapper, "new") for part, place, wrapper in itertools.product(
        ("Body", "Timestamp"), ("last in the Header", "last in Security", "in the Signature"), ("in an Object", "in a header of another role"))),
    *(_wrapping(part, "last in the Header", "bare", identity) for part, identity in itertools.product(_PARTS, ("same", "none", "Id", "xml:id"))),
    *(_second(part, identity, behind=behind) for part, identity, behind in itertools.product(_PARTS, ("same", "new"), (False, True))),
    *(_ciphertext(place) for place in _PLACES if place != "in the forged one"),
    changed("E18", "a second DigestValue", lambda root: one(root, REFERENCE).append(copy.deepcopy(one(root, f"{REFERENCE}/ds:DigestValue")))),
]  # fmt: skip
"""Rows of wrapping."""


def _other_key(genuine: Genuine) -> bytes:
    """An EncryptedKey of somebody else's making, for the service's certificate."""
    certificate = genuine.caller.service_certificate
    if certificate is None or not isinstance(certificate.public_key, rsa.RSAPublicKey):
        raise Unbendable("no RSA certificate of the service is known")
    transport = genuine.requirements.suite.key_transports[0]
    named = token_reference.write_key_identifier(uris.THUMBPRINT_SHA1, certificate.thumbprint_sha1)
    return encrypted_key.write(
        "EK-attack", transport, named, wrap_key(transport, certificate.public_key, bytes(32))
    )


def _own_token(genuine: Genuine) -> bytes:
    """The service's own certificate, shown as a client's."""
    certificate = genuine.caller.service_certificate
    if certificate is None:
        raise Unbendable("no certificate of the service is known")
    return binary_security_token.write("X509-attack", certificate)


def _one_more(genuine: Genuine, *, named: bool) -> bytes:
    """One more EncryptedData under the right key."""
    if not sealable(genuine) or not genuine.has(EK):
        raise Unbendable("no EncryptedKey whose secret its sender knows")
    key_id = one(genuine.root, EK).get("Id", "")
    method = genuine.requirements.suite.encryptions[0]
    content = sealed("ED-attack", b"<x xmlns='urn:x'/>", genuine.secret, key_id, content=False, method=method)
    return genuine.forged(insert(SECURITY, content), *([listed("ED-attack")] if named else []))


def _strictly(entry: str, what: str, path: str) -> Variant:
    """A token behind the signature that uses it, where the policy says Strict."""

    def make(genuine: Genuine) -> Letter:
        if genuine.requirements.layout is not Layout.STRICT:
            raise Unbendable("the policy's layout is not Strict")
        return sent(genuine, genuine.bent(move(path, SECURITY)))

    return Variant(entry, what, Sender.STRANGER, make)


_UNKNOWN: Final = {
    "of no namespace": "<x/>",
    "of a draft": f'<w:Timestamp xmlns:w="{ns.WSU}/draft"/>',
    "SecurityTokenReference": "<wsse:SecurityTokenReference/>",
    "EncryptedHeader": "<wsse11:EncryptedHeader/>",
    "Security": "<wsse:Security/>",
    "SAML 2.0 Assertion": f'<a:Assertion xmlns:a="{ns.SAML2}"/>',
    "SAML 1.1 Assertion": f'<a:Assertion xmlns:a="{ns.SAML1}"/>',
    "KeyInfo": "<ds:KeyInfo/>",
}
_REFERENCES: Final = {
    "without a child": "",
    "with two": '<wsse:Reference URI="#a"/><wsse:Reference URI="#b"/>',
    "of itself": "<wsse:SecurityTokenReference/>",
    "of KeyName": "<ds:KeyName>x</ds:KeyName>",
    "of another site": '<wsse:Reference URI="http://127.0.0.1:1/"/>',
    "of a file": '<wsse:Reference URI="file:///etc/hostname"/>',
    "without URI": "<wsse:Reference/>",
    "of nothing": '<wsse:Reference URI="#nothing"/>',
    "of nobody": f'<wsse:KeyIdentifier ValueType="{uris.THUMBPRINT_SHA1}">AAAA</wsse:KeyIdentifier>',
    "of an earlier key": f'<wsse:KeyIdentifier ValueType="{uris.ENCRYPTED_KEY_SHA1}">AAAA</wsse:KeyIdentifier>',
    "of an unknown kind": '<wsse:KeyIdentifier ValueType="urn:x">AAAA</wsse:KeyIdentifier>',
    "embedded": "<wsse:Embedded><wsu:Timestamp/></wsse:Embedded>",
}
_NAMED_UT = "<wsse:UsernameToken><wsse:Username>attack</wsse:Username></wsse:UsernameToken>"

HEADERS = [
    changed("D01", "no Security header", remove(SECURITY), answers=_DOCUMENTED),
    changed("D01", "an empty Security header", emptied(SECURITY)),
    *(changed("D02", f"a child that is none: {name}", insert(SECURITY, xml)) for name, xml in _UNKNOWN.items()),
    changed("D02", "text in the header", text(SECURITY, "x")),
    changed("D02", "a token of PKCS7", attribute(BST, "ValueType", uris.X509_PKCS7)),
    changed("D02", "a token of no type", attribute(BST, "ValueType", None)),
    changed("D03", "two Timestamps", duplicate(TIMESTAMP)),
    changed("D03", "a second Timestamp of its own", insert(SECURITY, "<wsu:Timestamp><wsu:Created>2026-01-01T00:00:00Z</wsu:Created></wsu:Timestamp>")),
    changed("D03", "two Created", duplicate(f"{TIMESTAMP}/wsu:Created")),
    changed("D03", "two Username", duplicate(f"{UT}/wsse:Username")),
    changed("D03", "two Password", duplicate(f"{UT}/wsse:Password")),
    changed("D03", "two UsernameTokens", duplicate(UT)),
    changed("D03", "two SignatureValue", duplicate(f"{SIGNATURE}/ds:SignatureValue")),
    changed("D03", "two SignedInfo", duplicate(INFO)),
    changed("D03", "two KeyInfo", duplicate(f"{SIGNATURE}/ds:KeyInfo")),
    changed("D03", "two tokens of one id", duplicate(BST)),
    _strictly("D04", "a token behind its signature", BST),
    *(changed("D05", f"a reference {name}", replace(STR, f"<wsse:SecurityTokenReference>{xml}</wsse:SecurityTokenReference>"),
              answers=_DOCUMENTED) for name, xml in _REFERENCES.items()),
    changed("D05", "a reference of the Timestamp", lambda root: one(root, f"{STR}/wsse:Reference").set("URI", f"#{one(root, TIMESTAMP).get(WSU_ID)}")),
    changed("D06", "moved into another header", beside("<x:box/>"), move(SECURITY, f"{HEADER}/x:box"), answers=_DOCUMENTED),
    changed("D06", "moved into the Body", move(SECURITY, f"{BODY}/*"), answers=_DOCUMENTED),
    changed("D07", "children without number", *(insert(SECURITY, "<wsu:Timestamp/>") for _ in range(60))),
    changed("D07", "tokens without number", multiplied(BST, 10, "b", WSU_ID)),
    changed("D07", "a UsernameToken beside", insert(SECURITY, _NAMED_UT)),
    built("D07", "one more EncryptedKey", lambda g: g.bent(insert(SECURITY, _other_key(g), 1))),
    built("D07", "the service's own certificate beside", lambda g: g.bent(insert(SECURITY, _own_token(g), 1))),
    changed("D07", "a ReferenceList of nothing", insert(SECURITY, '<xenc:ReferenceList><xenc:DataReference URI="#x"/></xenc:ReferenceList>')),
    built("I07", "one more EncryptedData, not listed", lambda g: _one_more(g, named=False)),
    built("I07", "one more EncryptedData, listed", lambda g: _one_more(g, named=True)),
    *only(Step.CALL, [forged("D09", "SignatureConfirmation in a request", insert(SECURITY, "<wsse11:SignatureConfirmation/>", 0))]),
    changed("D08", "two signatures that hold", multiplied(SIGNATURE, 1, "s")),
    changed("I07", "a list of what is not there", listed("nothing")),
]  # fmt: skip
"""Rows of the header's structure."""
