"""The floor: what a request and its reply cost with nothing but the work that cannot be left out.

The same cryptography on the same bytes, one parse of what arrived and one of what was decrypted, one
canonicalisation of each signed part, one join of the reply; written plainly. It has no policy, checks no
structure, no trust and no time, keeps no replays, and reads only messages of the form our own client
writes. It is a measure, never an implementation.
"""

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns

_ID = f"{{{ns.WSU}}}Id"
_ENCRYPTED_DATA = f"{{{ns.XENC}}}EncryptedData"
_ENCRYPTED_KEY = f"{{{ns.XENC}}}EncryptedKey"
_CIPHER_VALUE = f"{{{ns.XENC}}}CipherData/{{{ns.XENC}}}CipherValue"
_SIGNATURE = f"{{{ns.DS}}}Signature"
_DIGEST_VALUE = f"{{{ns.DS}}}DigestValue"
_SIGNATURE_METHOD = f"{{{ns.DS}}}SignedInfo/{{{ns.DS}}}SignatureMethod"
_DIGEST_METHOD = f"{{{ns.DS}}}SignedInfo/{{{ns.DS}}}Reference/{{{ns.DS}}}DigestMethod"
_METHOD = f"{{{ns.XENC}}}EncryptionMethod"
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
_HASHES = {
    "sha1": hashes.SHA1(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_OPEN, _CLOSE = b"<xenc:EncryptedData", b"</xenc:EncryptedData>"


def _hash_name(uri: str) -> str:
    return next(name for name in ("sha512", "sha384", "sha256", "sha1") if uri.endswith(name))


def _canonical(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False, with_tail=False)


@dataclass(frozen=True, slots=True)
class Methods:
    """The algorithms of one message, as found in a sample of it."""

    hmac: str | None = None
    rsa: str | None = None
    digest: str = "sha256"
    encryption: str | None = None
    oaep: padding.AsymmetricPadding | None = None

    @classmethod
    def of(cls, root: etree._Element) -> "Methods":
        """Read them off a message."""
        signature = next(root.iter(_SIGNATURE), None)
        data, key = next(root.iter(_ENCRYPTED_DATA), None), next(root.iter(_ENCRYPTED_KEY), None)
        method = signature.find(_SIGNATURE_METHOD).get("Algorithm", "") if signature is not None else ""  # type: ignore[union-attr]
        digest = signature.find(_DIGEST_METHOD).get("Algorithm", "") if signature is not None else alg.SHA256  # type: ignore[union-attr]
        return cls(
            hmac=_hash_name(method) if "hmac" in method else None,
            rsa=_hash_name(method) if "rsa" in method else None,
            digest=_hash_name(digest),
            encryption=data.find(_METHOD).get("Algorithm") if data is not None else None,  # type: ignore[union-attr]
            oaep=_oaep(key) if key is not None else None,
        )

    def encrypt(self, key: bytes, plaintext: bytes) -> bytes:
        """Encrypt to the octets of a CipherValue."""
        if self.encryption is None or self.encryption.endswith("gcm"):
            iv = os.urandom(12)
            return iv + AESGCM(key).encrypt(iv, plaintext, None)
        iv, pad = os.urandom(16), 16 - len(plaintext) % 16
        encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
        return iv + encryptor.update(plaintext + bytes((pad,)) * pad) + encryptor.finalize()

    def decrypt(self, key: bytes, octets: bytes) -> bytes:
        """Decrypt the octets of a CipherValue."""
        if self.encryption is None or self.encryption.endswith("gcm"):
            return AESGCM(key).decrypt(octets[:12], octets[12:], None)
        decryptor = Cipher(algorithms.AES(key), modes.CBC(octets[:16])).decryptor()
        padded = decryptor.update(octets[16:]) + decryptor.finalize()
        return padded[: -padded[-1]]


def _oaep(key: etree._Element) -> padding.AsymmetricPadding:
    names = {etree.QName(one).localname: _hash_name(one.get("Algorithm", "")) for one in key.find(_METHOD)}  # type: ignore[union-attr]
    digest, mask = _HASHES[names.get("DigestMethod", "sha1")], _HASHES[names.get("MGF", "sha1")]
    return padding.OAEP(padding.MGF1(mask), digest, None)


class Floor:
    """The floor of one scenario, learnt from one exchange of messages."""

    def __init__(
        self,
        request: bytes,
        reply: bytes,
        *,
        service: rsa.RSAPrivateKey,
        client: rsa.RSAPublicKey,
        secret: bytes = b"",
    ) -> None:
        """Learn the form of the messages.

        Args:
            secret: of the conversation that they belong to.
        """
        self._service, self._client, self._held = service, client, secret
        self._in = Methods.of(etree.fromstring(request))
        sample = etree.fromstring(reply)
        self._out = Methods.of(sample)
        self._secret = os.urandom(32)
        security = sample[0][-1]
        signature = security.find(_SIGNATURE)
        self._signs = signature is not None
        signed = {one.get(_ID) for one in security} - {None}
        names = [one.get("URI", "")[1:] for one in list(signature[0])[2:]] if signature is not None else []
        self._parts = [_canonical(one) for one in security if one.get(_ID) in signed & set(names)]
        #: what of the reply is the same each time; it is joined in, like everything else
        self._frame = reply[: reply.index(b"Body")]

    def request(self, data: bytes) -> etree._Element:
        """Parse, verify, decrypt, parse, compare digests."""
        root = etree.fromstring(data, _PARSER)
        security, secret = root[0][-1], self._held
        key = security.find(_ENCRYPTED_KEY)
        if key is not None and self._in.oaep is not None:
            secret = self._service.decrypt(base64.b64decode(key.findtext(_CIPHER_VALUE, "")), self._in.oaep)
        self._secret = secret or self._secret
        signature = security.find(_SIGNATURE)
        if signature is not None:
            self._verify(_canonical(signature[0]), base64.b64decode(signature[1].text or ""), secret)
        if self._in.encryption is not None:
            root = self._decrypted(data, [*security, *root[1]], secret)
        if signature is not None:
            parts = {part.get(_ID): part for part in (root[1], *root[0][-1])}
            for reference in list(signature[0])[2:]:
                octets = _canonical(parts[reference.get("URI", "")[1:]])
                digest = hashlib.new(self._in.digest, octets).digest()
                if digest != base64.b64decode(reference.findtext(_DIGEST_VALUE, "")):
                    raise AssertionError("a digest differs")
        return root

    def _verify(self, octets: bytes, value: bytes, secret: bytes) -> None:
        if self._in.rsa is not None:
            self._client.verify(value, octets, padding.PKCS1v15(), _HASHES[self._in.rsa])
        elif not hmac.compare_digest(hmac.digest(secret, octets, self._in.hmac or ""), value):
            raise AssertionError("the signature differs")

    def _decrypted(self, data: bytes, candidates: list[etree._Element], secret: bytes) -> etree._Element:
        pieces, position = [], 0
        for element in candidates:
            if element.tag == _ENCRYPTED_DATA:
                octets = base64.b64decode(element.findtext(_CIPHER_VALUE, ""))
                begin = data.index(_OPEN, position)
                pieces += [data[position:begin], self._in.decrypt(secret, octets)]
                position = data.index(_CLOSE, begin) + len(_CLOSE)
        pieces.append(data[position:])
        return etree.fromstring(b"".join(pieces), _PARSER)

    def reply(self, body: etree._Element) -> bytes:
        """Canonicalise once, digest, sign, encrypt, join."""
        out, secret, wrapped = self._out, self._secret, b""
        if out.oaep is not None:
            secret = os.urandom(32)
            wrapped = base64.b64encode(self._client.encrypt(secret, out.oaep))
        content = b"".join(_canonical(child) for child in body)
        value, info = b"", b""
        if self._signs:
            whole = b"".join((b'<soap:Body wsu:Id="Body-1">', content, b"</soap:Body>"))
            digests = [hashlib.new(out.digest, part).digest() for part in (whole, *self._parts)]
            info = b"<Reference/>".join(base64.b64encode(digest) for digest in digests)
            value = base64.b64encode(self._signed(info, secret))
        if out.encryption is not None:
            content = base64.b64encode(out.encrypt(secret, content))
        return b"".join((self._frame, wrapped, info, value, b"<soap:Body>", content, b"</soap:Body>"))

    def _signed(self, octets: bytes, secret: bytes) -> bytes:
        if self._out.rsa is not None:
            return self._service.sign(octets, padding.PKCS1v15(), _HASHES[self._out.rsa])
        return hmac.digest(secret, octets, self._out.hmac or "")
