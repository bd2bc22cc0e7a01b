"""Group I: encryption."""

from collections.abc import Callable

from lxml import etree

from wsprovider.attack.bend import (
    Unbendable,
    attribute,
    duplicate,
    flip,
    insert,
    move,
    one,
    remove,
    replace,
    text,
    within,
)
from wsprovider.attack.caller import Genuine
from wsprovider.attack.forge import plaintext_of
from wsprovider.attack.variants import (
    BODY_DATA,
    EK,
    LIST,
    TOKEN_DATA,
    Answers,
    Variant,
    beside,
    built,
    changed,
    emptied,
    forged,
    listed,
    multiplied,
    octets,
    plaintext,
    sealable,
)
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns
from wsprovider.words import uris

_VALUE = f"{BODY_DATA}/xenc:CipherData/xenc:CipherValue"
_KEY_VALUE = f"{EK}/xenc:CipherData/xenc:CipherValue"


def _in_clear(path: str) -> Callable[[Genuine], bytes]:
    """Who knows the key sends it in clear; a signature over the plaintext holds."""

    def make(genuine: Genuine) -> bytes:
        if not sealable(genuine):
            raise Unbendable("no ciphertext whose key its sender has")
        secret = genuine.secret

        def change(root: etree._Element) -> None:
            data = one(root, path)
            plain = etree.fromstring(b"<p>" + plaintext_of(data, secret) + b"</p>")[0]
            within(data).replace(data, plain)
            for reference in [child for child in one(root, LIST) if child.get("URI") == f"#{data.get('Id')}"]:
                one(root, LIST).remove(reference)
            if not len(one(root, LIST)):
                remove(LIST)(root)

        return genuine.bent(change)

    return make


def _nested(genuine: Genuine) -> bytes:
    """Ciphertext in the ciphertext."""
    if not sealable(genuine):
        raise Unbendable("no ciphertext whose key its sender has")
    inner = etree.tostring(one(genuine.root, BODY_DATA), with_tail=False)
    return plaintext("I10", "", lambda _: inner).made(genuine).body


_OUT_OF_PLACE = {
    "a document type": b"<!DOCTYPE x [<!ENTITY x 'y'>]><e/>",
    "an entity": b"<e xmlns='urn:e'>&x;</e>",
    "an instruction": b"<?x?><e xmlns='urn:e'/>",
    "an open comment": b"<e xmlns='urn:e'/><!--",
    "an open CDATA section": b"<![CDATA[",
    "what breaks out of the Body": b"</soap:Body><soap:Body><e xmlns='urn:e'/>",
    "half an element": b"<e xmlns='urn:e'>",
    "what is no UTF-8": b"<e>\xff</e>",
    "two hundred levels": b"<a>" * 200 + b"</a>" * 200,
    "three thousand levels": b"<a>" * 3_000 + b"</a>" * 3_000,
}

ENCRYPTION: list[Variant] = [
    *(changed("I01", f"the key's method {name}", attribute(f"{EK}/xenc:EncryptionMethod", "Algorithm", uri)) for name, uri in {
        "unknown": "urn:x", "AES": alg.AES256_CBC, "a key wrap": alg.KW_AES256,
    }.items()),
    changed("I02", "the last block changed", flip(_VALUE, octet=-17)),
    changed("I02", "the first octet changed", flip(_VALUE, octet=0)),
    changed("I02", "a block taken away", octets(_VALUE, lambda whole: whole[:-16])),
    changed("I03", "the method unknown", attribute(f"{BODY_DATA}/xenc:EncryptionMethod", "Algorithm", "urn:x")),
    changed("I03", "the method a key transport", attribute(f"{BODY_DATA}/xenc:EncryptionMethod", "Algorithm", alg.RSA_OAEP_MGF1P)),
    changed("I03", "3DES", attribute(f"{BODY_DATA}/xenc:EncryptionMethod", "Algorithm", alg.TRIPLEDES_CBC)),
    changed("I04", "another digest of OAEP", insert(f"{EK}/xenc:EncryptionMethod", f'<ds:DigestMethod Algorithm="{alg.SHA512}"/>')),
    changed("I04", "OAEPparams", insert(f"{EK}/xenc:EncryptionMethod", "<xenc:OAEPparams>AAAA</xenc:OAEPparams>")),
    *(changed("I05", f"cut by {cut}", octets(_VALUE, lambda whole, cut=cut: whole[:-cut])) for cut in (1, 8, 15)),  # type: ignore[misc]
    changed("I05", "empty", text(_VALUE, "")),
    changed("I05", "one octet", text(_VALUE, "AA==")),
    changed("I06", "the key changed", flip(_KEY_VALUE, octet=5)),
    changed("I06", "the key cut", octets(_KEY_VALUE, lambda whole: whole[:100])),
    changed("I06", "no key", text(_KEY_VALUE, "")),
    changed("I07", "the list taken away", remove(LIST)),
    changed("I07", "an empty list", emptied(LIST)),
    changed("I07", "two lists", duplicate(LIST)),
    changed("I07", "no CipherData", remove(f"{BODY_DATA}/xenc:CipherData")),
    changed("I07", "no method", remove(f"{BODY_DATA}/xenc:EncryptionMethod")),
    changed("I07", "two CipherValue", duplicate(_VALUE)),
    changed("I07", "in a header block", beside("<x:box/>"), move(BODY_DATA, "//x:box")),
    *(changed("I09", f"Type {name}", attribute(BODY_DATA, "Type", value)) for name, value in (
        ("Element", uris.TYPE_ELEMENT), ("missing", None), ("unknown", "urn:x"),
    )),
    changed("I09", "MimeType", attribute(BODY_DATA, "MimeType", "text/xml")),
    changed("I09", "Encoding", attribute(BODY_DATA, "Encoding", "x")),
    plaintext("I09", "two elements for a token", lambda plain: plain + b"<x xmlns='urn:x'/>", path=TOKEN_DATA),
    plaintext("I09", "text for a token", lambda _: b"text", path=TOKEN_DATA),
    plaintext("I09", "nothing for a token", lambda _: b"", path=TOKEN_DATA),
    changed("I10", "ten EncryptedKeys", multiplied(EK, 9, "k")),
    changed("I10", "a hundred data references", listed(*(f"d{i}" for i in range(100)))),
    built("I10", "ciphertext in ciphertext", _nested, Answers.DOCUMENTED),
    *(plaintext("I13", f"the plaintext is {name}", lambda _, plain=plain: plain) for name, plain in _OUT_OF_PLACE.items()),  # type: ignore[misc]
    changed("I12", "CipherReference", replace(_VALUE, '<xenc:CipherReference URI="file:///etc/hostname"/>')),
    changed("I12", "CipherReference of a key", replace(_KEY_VALUE, '<xenc:CipherReference URI="http://127.0.0.1:1/"/>')),
    changed("I14", "KeyInfo of nobody", replace(f"{BODY_DATA}/ds:KeyInfo/*", '<wsse:SecurityTokenReference><wsse:Reference URI="#nobody"/></wsse:SecurityTokenReference>')),
    changed("I14", "a certificate for data", replace(f"{BODY_DATA}/ds:KeyInfo/*", f'<wsse:SecurityTokenReference><wsse:KeyIdentifier ValueType="{uris.THUMBPRINT_SHA1}">AAAA</wsse:KeyIdentifier></wsse:SecurityTokenReference>')),
    changed("I14", "a key for somebody else", text(f"{EK}/ds:KeyInfo//wsse:KeyIdentifier", "AAAA")),
    changed("I15", "AgreementMethod", replace(f"{BODY_DATA}/ds:KeyInfo/*", "<xenc:AgreementMethod/>")),
    changed("I15", "DerivedKey", replace(f"{BODY_DATA}/ds:KeyInfo/*", f'<k:DerivedKey xmlns:k="{ns.XENC11}"/>')),
    built("I16", "the Body in clear", _in_clear(BODY_DATA)),
    forged("I16", "another Body in clear, signed", replace(BODY_DATA, "<x:x/>")),
]  # fmt: skip
"""Rows of encryption."""
