"""What a hostile partner can do beyond changing bytes: sign and encrypt what was bent (see :mod:`.bend`).

XML Signature 1.1, section 3.1 (digests and the value are computed anew); XML Encryption 1.1, section 4.
"""

import base64
from collections.abc import Callable

from lxml import etree

from wsprovider.attack.bend import SIGNATURE, WSU_ID, Change, Unbendable, element, every, one
from wsprovider.crypto.algorithms import DIGESTS, PrivateKey, sign_asymmetric, sign_symmetric
from wsprovider.crypto.ciphers import decrypt, encrypt
from wsprovider.exchange.initiator import Pending
from wsprovider.header import encrypted_data
from wsprovider.header import token_reference as str_
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns
from wsprovider.words import uris


def secret_of(pending: Pending) -> bytes:
    """The secret of a request in a symmetric binding, or of its context or ticket, which its sender knows.

    Raises:
        Unbendable: it has none, or several.
    """
    if pending.context is not None:
        return pending.context.secret
    if pending.ticket is not None and not pending.secrets:
        return pending.ticket.secret
    if len(pending.secrets) != 1:
        raise Unbendable(f"{len(pending.secrets)} secrets")
    return next(iter(pending.secrets.values()))


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
        elif key is not None:
            value = sign_asymmetric(method, key, octets)
        else:
            raise Unbendable("there is no key to sign with")
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
