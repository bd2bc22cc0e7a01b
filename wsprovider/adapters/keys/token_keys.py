"""Private keys that never leave their PKCS#11 token, in the shape of `cryptography`'s own.

**Decryption** fails with ValueError whatever the token says of the ciphertext, so that
:func:`wsprovider.crypto.ciphers.unwrap_key` goes on with a random key. That a token is gone, or cannot do what is
asked at all, follows from no ciphertext, and is a BackendError: each way to decrypt is tried first with a ciphertext
of our own.

**RSA 1.5.** A token that removes this padding says whether it was right, by its answer and by the time it takes
(SoftHSM writes a line to the system's log when it was not): Bleichenbacher's oracle. So the token is asked for the bare
RSA operation (CKM_RSA_X_509), which succeeds either way, and the padding is judged here, without a branch; one that is
wrong yields nothing, which is of no suite's length. A token without that mechanism does not do RSA 1.5 for us.
OAEP is left to the token: what fails there fails alike, and nobody can make a ciphertext that does not fail without
knowing what is in it.
"""

import os
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeVar

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from pkcs11 import MGF, Attribute, KeyType, Mechanism, ObjectClass, PKCS11Error

from wsprovider.adapters.keys.pkcs11 import Place, TokenError
from wsprovider.adapters.keys.reading import MaterialError
from wsprovider.adapters.keys.token_module import module_at, said
from wsprovider.keyring.material import Certificate
from wsprovider.words.errors import BackendError

T = TypeVar("T")

_DIGESTS: Final[dict[str, tuple[Mechanism, MGF]]] = {
    "sha1": (Mechanism.SHA_1, MGF.SHA1),
    "sha256": (Mechanism.SHA256, MGF.SHA256),
    "sha384": (Mechanism.SHA384, MGF.SHA384),
    "sha512": (Mechanism.SHA512, MGF.SHA512),
}
_PKCS1: Final = {
    "sha1": Mechanism.SHA1_RSA_PKCS,
    "sha256": Mechanism.SHA256_RSA_PKCS,
    "sha384": Mechanism.SHA384_RSA_PKCS,
    "sha512": Mechanism.SHA512_RSA_PKCS,
}
_PSS: Final = {
    "sha1": Mechanism.SHA1_RSA_PKCS_PSS,
    "sha256": Mechanism.SHA256_RSA_PKCS_PSS,
    "sha384": Mechanism.SHA384_RSA_PKCS_PSS,
    "sha512": Mechanism.SHA512_RSA_PKCS_PSS,
}


class _Handle:
    """A private key in a token, found again in each new session."""

    def __init__(self, place: Place, pin: str) -> None:
        self.place = place
        self._pin = pin
        self._module = module_at(place.module)
        self._found: tuple[Any, Any] = (None, None)

    def login(self) -> None:
        """See :meth:`wsprovider.adapters.keys.token_module.Module.login`."""
        self._module.login(self.place.token, self._pin)

    def get(self, attribute: Attribute) -> Any:
        """The value of an attribute; None where the token gives none."""

        def read(key: Any) -> Any:
            try:
                return key[attribute]
            except (KeyError, PKCS11Error):
                return None

        return self.call(read)

    def use(self, method: str, data: bytes, mechanism: Mechanism, parameter: object = None) -> bytes:
        """Sign or decrypt.

        Args:
            method: ``sign`` or ``decrypt``.
            data: what is signed or decrypted.
            mechanism, parameter: how.

        Raises:
            BackendError: the token does not answer, or the key is not meant for this.
            PKCS11Error: what else the token says.
        """

        def do(key: Any) -> bytes:
            used = getattr(key, method, None)  # the library gives a key the methods that the token allows
            if used is None:
                raise BackendError(f"{self.place} is not allowed to {method} (CKA_{method.upper()})")
            done: bytes = used(data, mechanism=mechanism, mechanism_param=parameter)
            return done

        return self.call(do)

    def sign(self, data: bytes, mechanism: Mechanism, parameter: object = None) -> bytes:
        """Sign.

        Raises:
            BackendError: the token did not.
        """
        try:
            return self.use("sign", data, mechanism, parameter)
        except PKCS11Error as error:
            raise BackendError(f"{self.place} did not sign ({mechanism.name}): {said(error)}") from None

    def call(self, do: Callable[[Any], T]) -> T:
        """Do something with the key; nobody else is in the module meanwhile.

        Raises:
            BackendError: the token does not answer, or does not hold the key (any more).
            PKCS11Error: what else the token says.
        """
        return self._module.call(self.place.token, self._pin, lambda session: do(self._key(session)))

    def _key(self, session: Any) -> Any:
        if self._found[0] is session:
            return self._found[1]
        place = self.place
        named = {Attribute.LABEL: place.label, Attribute.ID: place.id}
        wanted = {name: value for name, value in named.items() if value is not None}
        found = list(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, **wanted}))
        if not found:
            raise BackendError(f"there is not {place}")
        if len(found) > 1:
            raise BackendError(f"there is more than {place}: name label and id")
        self._found = (session, found[0])
        return found[0]


class _TokenKey:
    """What keys of all kinds share: they stay where they are."""

    def __init__(self, handle: _Handle) -> None:
        self._handle = handle

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self

    def private_numbers(self) -> NoReturn:
        """See `cryptography`; the numbers stay in the token."""
        raise RuntimeError("the key does not leave its token")

    def private_bytes(self, *_: Any, **__: Any) -> NoReturn:
        """See `cryptography`; the bytes stay in the token."""
        raise RuntimeError("the key does not leave its token")


class TokenRsaKey(_TokenKey, rsa.RSAPrivateKey):
    """An RSA key in a token."""

    def __init__(self, handle: _Handle, public: rsa.RSAPublicKey) -> None:
        super().__init__(handle)
        self._public = public
        self._ways: set[tuple[Mechanism, object]] = set()

    @property
    def key_size(self) -> int:
        """Bits of the modulus."""
        return self._public.key_size

    def public_key(self) -> rsa.RSAPublicKey:
        """The certificate's key."""
        return self._public

    def sign(self, data: Any, padding: Any, algorithm: Any) -> bytes:
        """Sign in the token, by RSASSA-PKCS1-v1_5 or RSASSA-PSS (RFC 8017, section 8).

        Raises:
            UnsupportedAlgorithm: a digest or padding that is not known here.
            BackendError: the token did not sign, or cannot do this.
        """
        return self._handle.sign(bytes(data), *_signature(padding, algorithm, self._public))

    def decrypt(self, ciphertext: Any, padding: Any) -> bytes:
        """Decrypt in the token: RSAES-OAEP and RSAES-PKCS1-v1_5 (RFC 8017, section 7); see the module.

        Raises:
            ValueError: it cannot be decrypted.
            UnsupportedAlgorithm: a digest or padding that is not known here.
            BackendError: the token does not answer, or cannot do this.
        """
        if len(ciphertext) != (self.key_size + 7) // 8:
            raise ValueError("Decryption failed")
        way = _transport(padding)
        self.try_out(way, padding)
        try:
            return self._decrypted(way, bytes(ciphertext))
        except PKCS11Error:
            raise ValueError("Decryption failed") from None

    def try_out(self, way: tuple[Mechanism, object], scheme: padding.AsymmetricPadding) -> None:
        """Know that the token can decrypt this way; it is asked until it could once.

        Raises:
            BackendError: it cannot.
        """
        if way in self._ways:
            return
        secret = os.urandom(32)
        try:
            opened = self._decrypted(way, self._public.encrypt(secret, scheme))
        except PKCS11Error as error:
            raise BackendError(f"{self._handle.place} cannot do {_words(way)}: {said(error)}") from None
        if opened != secret:
            raise BackendError(f"{self._handle.place} does {_words(way)} wrong, or has another certificate")
        self._ways.add(way)

    def _decrypted(self, way: tuple[Mechanism, object], ciphertext: bytes) -> bytes:
        mechanism, parameter = way
        opened = self._handle.use("decrypt", ciphertext, mechanism, parameter)
        return opened if mechanism is Mechanism.RSA_PKCS_OAEP else _unpadded(opened, len(ciphertext))


class TokenEcKey(_TokenKey, ec.EllipticCurvePrivateKey):
    """An EC key in a token."""

    def __init__(self, handle: _Handle, public: ec.EllipticCurvePublicKey) -> None:
        super().__init__(handle)
        self._public = public

    @property
    def key_size(self) -> int:
        """Bits of the curve's order."""
        return self._public.key_size

    @property
    def curve(self) -> ec.EllipticCurve:
        """The certificate's curve."""
        return self._public.curve

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The certificate's key."""
        return self._public

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        """Sign in the token, by ECDSA (CKM_ECDSA, which gives r and s in one length; here in DER).

        Raises:
            UnsupportedAlgorithm: no ECDSA over data.
            BackendError: the token did not sign.
        """
        algorithm = signature_algorithm.algorithm
        if not isinstance(signature_algorithm, ec.ECDSA) or isinstance(algorithm, Prehashed):
            raise UnsupportedAlgorithm("a key in a token signs data by ECDSA")
        digest = hashes.Hash(algorithm)
        digest.update(data)
        length = (self.key_size + 7) // 8
        signed = self._handle.sign(digest.finalize()[:length], Mechanism.ECDSA)
        half = len(signed) // 2
        return encode_dss_signature(
            int.from_bytes(signed[:half], "big"), int.from_bytes(signed[half:], "big")
        )

    def exchange(self, *_: Any, **__: Any) -> NoReturn:
        """Not done with keys in tokens."""
        raise UnsupportedAlgorithm("no key agreement with a key in a token")


def load(
    place: Place, pin: str, certificate: Certificate, warn: Callable[[str], None]
) -> TokenRsaKey | TokenEcKey:
    """See :func:`wsprovider.adapters.keys.pkcs11.load_token_key`."""
    handle = _Handle(place, pin)
    try:
        handle.login()
        kind = handle.get(Attribute.KEY_TYPE)
        if handle.get(Attribute.EXTRACTABLE):
            warn("the token would give the key away: it is extractable (CKA_EXTRACTABLE)")
        return _proven(handle, kind, certificate)
    except BackendError as error:
        raise TokenError(str(error)) from None
    except InvalidSignature:
        raise MaterialError("the certificate does not belong to the key in the token") from None


def _proven(handle: _Handle, kind: object, certificate: Certificate) -> TokenRsaKey | TokenEcKey:
    """The key, whose public key is the certificate's: it signs, or opens, what only that one could."""
    public, text = certificate.public_key, os.urandom(32)
    if kind == KeyType.RSA and isinstance(public, rsa.RSAPublicKey):
        key = TokenRsaKey(handle, public)
        if not handle.get(Attribute.SIGN):
            scheme = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303 - all tokens can
            key.try_out(_transport(scheme), scheme)
            return key
        pkcs1, sha256 = padding.PKCS1v15(), hashes.SHA256()
        public.verify(key.sign(text, pkcs1, sha256), text, pkcs1, sha256)
        return key
    if kind == KeyType.EC and isinstance(public, ec.EllipticCurvePublicKey):
        curved, ecdsa = TokenEcKey(handle, public), ec.ECDSA(hashes.SHA256())
        public.verify(curved.sign(text, ecdsa), text, ecdsa)
        return curved
    if kind in {KeyType.RSA, KeyType.EC}:
        raise InvalidSignature
    raise MaterialError(f"{handle.place} is neither RSA nor EC")


def _signature(scheme: object, algorithm: object, public: rsa.RSAPublicKey) -> tuple[Mechanism, object]:
    name = algorithm.name if isinstance(algorithm, hashes.HashAlgorithm) else ""
    if name in _DIGESTS and isinstance(scheme, padding.PKCS1v15):
        return _PKCS1[name], None
    if name in _DIGESTS and isinstance(scheme, padding.PSS):
        assert isinstance(algorithm, hashes.HashAlgorithm)
        salt = scheme._salt_length
        if isinstance(salt, padding._MaxLength):
            salt = padding.calculate_max_pss_salt_length(public, algorithm)
        elif not isinstance(salt, int):
            salt = algorithm.digest_size
        return _PSS[name], (_DIGESTS[name][0], _generator(scheme.mgf), salt)
    raise UnsupportedAlgorithm("a key in a token signs data by PKCS #1 v1.5 or PSS, with SHA-1 or SHA-2")


def _transport(scheme: object) -> tuple[Mechanism, object]:
    if isinstance(scheme, padding.PKCS1v15):
        return Mechanism.RSA_X_509, None
    if isinstance(scheme, padding.OAEP) and scheme.algorithm.name in _DIGESTS and not scheme._label:
        return Mechanism.RSA_PKCS_OAEP, (
            _DIGESTS[scheme.algorithm.name][0],
            _generator(scheme.mgf),
            None,
        )
    raise UnsupportedAlgorithm("a key in a token decrypts OAEP without a label, and PKCS #1 v1.5")


def _generator(mgf: Any) -> MGF:
    known = _DIGESTS.get(mgf._algorithm.name)
    if known is None:
        raise UnsupportedAlgorithm("MGF1 of a key in a token takes SHA-1 or SHA-2")
    return known[1]


def _unpadded(opened: bytes, length: int) -> bytes:
    """RFC 8017, section 7.2.2, step 3: the message, or nothing; no branch tells which."""
    block = opened.rjust(length, b"\x00")
    end = block.find(b"\x00", 2)
    right = (block[0] == 0) & (block[1] == 2) & (end >= 10)
    return (b"", block[end + 1 :])[right]


def _words(way: tuple[Mechanism, Any]) -> str:
    parameter = way[1]
    if parameter is None:
        return "RSA 1.5, for which it needs CKM_RSA_X_509"
    return f"RSA-OAEP with {parameter[0].name} and MGF1 with {parameter[1].name}"
