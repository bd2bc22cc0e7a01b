"""Mutators of a hostile partner, who signs and encrypts what he changed with the keys that are his."""

from typing import Any

from lxml import etree

from tests.fuzz.draft import Draft, Nothing, pick, table
from tests.fuzz.values import ALGORITHMS
from tests.simulator import bend, pki
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns

_PLAINTEXTS = (
    lambda old: old.replace(b"pay", b"forged"),
    lambda old: old + old,
    lambda old: b"",
    lambda old: b" " + old + b"\n",
    lambda old: old + b"</x><y>",
    lambda old: b"<?xml version='1.0'?>" + old,
    lambda old: b"<!DOCTYPE x [<!ENTITY e 'x'>]>" + old,
    lambda old: old + b"<!-- x --><?x y?>",
    lambda old: b"<x wsu:Id='x' xmlns:wsu='" + ns.WSU.encode() + b"'/>",
    lambda old: old.decode("latin-1").encode("utf-16"),
    lambda old: b"\xff\xfe" + old,
    lambda old: b"<x>" * 70 + b"</x>" * 70,
    lambda old: b"<![CDATA[" + old + b"]]>",
    lambda old: b"<xenc:EncryptedData xmlns:xenc='" + ns.XENC.encode() + b"'/>",
    lambda old: old.replace(b"<", b"&lt;"),
    lambda old: old[: len(old) // 2],
    lambda old: b"&undefined;" + old,
    lambda old: old.replace(b"xmlns:", b"xmlns:q", 1),
)


def _signatures(draft: Draft) -> int:
    return len(list(draft.root.iter(f"{{{ns.DS}}}Signature")))


def _secret(draft: Draft, how: int) -> bytes:
    return pick(draft.letter.secrets, how)


def _sign(draft: Draft, number: int, how: int, *, nobody: bool = False) -> None:
    path = f"(//ds:Signature)[{number + 1}]"
    method = bend.one(draft.root, f"{path}/ds:SignedInfo/ds:SignatureMethod").get("Algorithm", "")
    signing: dict[str, Any]
    if "hmac" in method:
        signing = {"secret": bytes(32) if nobody else _secret(draft, how)}
    else:
        signing = {"key": pki.key("rsa-2048", "nobody") if nobody else draft.sample.world.client.issued.key}
    # mostly as the policy has it: cipher text is digested where it comes first, and every digest is made anew
    before = getattr(draft.sample.world.policy.alternatives[0].binding, "encrypt_before_signing", False)
    bend.resign(path=path, encrypted=before != (how >= 240), digests=not 224 <= how < 240, **signing)(
        draft.root
    )
    draft.signed = draft.signed or not nobody


def resign(draft: Draft, where: int, other: int, how: int) -> None:
    """One signature is made anew over what it says by now."""
    _sign(draft, where % (_signatures(draft) or 1), how)


def resign_all(draft: Draft, where: int, other: int, how: int) -> None:
    """Each of them, so that an endorsing one signs the new value of the first."""
    if not _signatures(draft):
        raise Nothing
    for number in range(_signatures(draft)):
        _sign(draft, number, how)


def sign_as_nobody(draft: Draft, where: int, other: int, how: int) -> None:
    """With a key that nobody trusts."""
    _sign(draft, where % (_signatures(draft) or 1), how, nobody=True)


def sign_also(draft: Draft, where: int, other: int, how: int) -> None:
    """A signature covers something more, or the same once more; it is made anew."""
    number = where % (_signatures(draft) or 1)
    identifier = pick(bend.ids(draft.root), other)
    bend.sign_also(identifier, path=f"(//ds:Signature)[{number + 1}]")(draft.root)
    _sign(draft, number, how)


def sign_less(draft: Draft, where: int, other: int, how: int) -> None:
    """A signature covers less; it is made anew."""
    number = where % (_signatures(draft) or 1)
    references = draft.every(f"(//ds:Signature)[{number + 1}]/ds:SignedInfo/ds:Reference")
    found = pick(references, other)
    found.getparent().remove(found)
    _sign(draft, number, how)


def sign_otherwise(draft: Draft, where: int, other: int, how: int) -> None:
    """By another method, honestly named."""
    number = where % (_signatures(draft) or 1)
    path = f"(//ds:Signature)[{number + 1}]/ds:SignedInfo/ds:SignatureMethod"
    bend.one(draft.root, path).set("Algorithm", pick([one for one in ALGORITHMS if "sha" in one], other))
    _sign(draft, number, how)


def reencrypt(draft: Draft, where: int, other: int, how: int) -> None:
    """Another plaintext under the key of the message."""
    number = where % (len(draft.every("//xenc:EncryptedData")) or 1)
    chosen = pick(_PLAINTEXTS, other)
    bend.reencrypt(f"(//xenc:EncryptedData)[{number + 1}]", _secret(draft, how), chosen)(draft.root)
    # the key of an encrypted Body that nothing signs is the sender's own
    draft.signed = True


def in_clear(draft: Draft, where: int, other: int, how: int) -> None:
    """What was encrypted stands there as it is; nothing lists it any more."""
    data = pick(draft.every("//xenc:EncryptedData"), where)
    plaintext = bend.plaintext_of(data, _secret(draft, how))
    parent = data.getparent()
    parent.replace(data, etree.fromstring(plaintext))
    for listed in draft.every(f"//xenc:DataReference[@URI='#{data.get('Id')}']"):
        of = listed.getparent()
        of.remove(listed)
        if not len(of):
            of.getparent().remove(of)
    draft.signed = True


def encrypt_header(draft: Draft, where: int, other: int, how: int) -> None:
    """Something of the message comes once more, encrypted, in the Security header."""
    secret = _secret(draft, how)
    key = pick(
        [*draft.every("//xenc:EncryptedKey"), *draft.every("//*[local-name()='SecurityContextToken']")], 0
    )
    identifier = key.get("Id") or key.get(bend.WSU_ID) or "x"
    content = etree.tostring(draft.element(where), with_tail=False)
    method = pick((alg.AES256_CBC, alg.AES256_GCM, alg.AES128_CBC, alg.TRIPLEDES_CBC), other)
    size = {alg.AES128_CBC: 16, alg.TRIPLEDES_CBC: 24}.get(method, 32)
    if len(secret) < size:
        raise Nothing
    data = bend.sealed("ED-new", content, secret[:size], identifier, content=bool(how & 64), method=method)
    pick(draft.every(bend.SECURITY), 0).append(etree.fromstring(data))


INSIDERS = table(
    resign,
    resign_all,
    sign_as_nobody,
    sign_also,
    sign_less,
    sign_otherwise,
    reencrypt,
    in_clear,
    encrypt_header,
)
