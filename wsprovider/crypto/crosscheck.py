"""A second opinion by libxmlsec: what our engine accepted must hold there, too.

The only module that imports ``xmlsec``; see ``docs/decisions/0030-second-engine.md``. It is asked after
our own engine said yes, and never instead: it can refuse a message, not let one in. By itself libxmlsec
opens files and URLs, runs XSLT and verifies MD5, so it stands behind a gate:

* its I/O callbacks are taken away for the whole process, before the first use;
* a Signature may use exclusive canonical form and the methods of our own tables, nothing else;
* ids are registered one by one, on exactly the elements that our engine digested;
* keys are given to it, so that it never reads a KeyInfo;
* it decrypts a detached copy to bytes, which nobody parses.

Anything but agreement, an exception of whatever kind included, is one and the same refusal.
"""

import copy
import hmac
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from wsprovider.crypto.algorithms import PublicKey
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import ConfigurationError, Problem, WSSecurityError
from wsprovider.words.reasons import Reason

UNSUPPORTED_SIGNATURES: Final = frozenset({alg.EDDSA_ED25519})
"""Signature methods of ours that python-xmlsec 1.3 cannot load a key for."""
UNSUPPORTED_TRANSFORMS: Final = frozenset({alg.STR_TRANSFORM})

_TRANSFORMS: Final = (
    "TransformExclC14N",
    *(f"Transform{name}{size}" for name in ("Sha", "RsaSha", "HmacSha") for size in (1, 256, 384, 512)),
    *(f"TransformEcdsaSha{size}" for size in (256, 384, 512)),
)
"""Names of ``xmlsec.constants``: the rows of :mod:`wsprovider.crypto.algorithms`, and canonical form."""

_ID_ATTRIBUTES: Final = (("Id", ns.WSU), ("Id", None), ("ID", None), ("AssertionID", None))
_KEY_INFO: Final = f"{{{ns.DS}}}KeyInfo"
_METHOD: Final = f"{{{ns.XENC}}}EncryptionMethod"
_CBC_OF_LENGTH: Final = {16: alg.AES128_CBC, 24: alg.AES192_CBC, 32: alg.AES256_CBC}
_AES_CBC: Final = frozenset(_CBC_OF_LENGTH.values())
_KEYS_REMEMBERED: Final = 256


class XmlsecOpinion:
    """libxmlsec as :class:`~wsprovider.inbound.context.SecondOpinion`; shared by all threads.

    It keeps no state but keys made from certificates; libxmlsec copies a key into each operation.
    """

    def __init__(self) -> None:
        """Load libxmlsec and shut its doors.

        Raises:
            ConfigurationError: python-xmlsec is missing, or does not fit the lxml that is installed.
        """
        xmlsec = self._xmlsec = _load()
        self._transforms = tuple(getattr(xmlsec.constants, name) for name in _TRANSFORMS)
        self._public_key = lru_cache(_KEYS_REMEMBERED)(self._make_public_key)

    def signature(
        self, element: etree._Element, key: PublicKey | bytes, targets: Iterable[etree._Element]
    ) -> None:
        """Verify a Signature again, in its place in the document.

        Args:
            element: the ds:Signature, whose grammar our engine has checked.
            key: what it must hold under; bytes for an HMAC.
            targets: what its References name.

        Raises:
            WSSecurityError: CROSSCHECK.
        """
        try:
            context = self._xmlsec.SignatureContext()
            for transform in self._transforms:
                context.enable_signature_transform(transform)
                context.enable_reference_transform(transform)
            context.key = self._key(key)
            for target in targets:
                _register(context, target)
            context.verify(element)
        except Exception as error:
            raise _disagreement("signature", error) from error

    def decryption(self, element: etree._Element, method: str, secret: bytes, plaintext: bytes) -> None:
        """Decrypt an EncryptedData again and compare.

        Args:
            element: the xenc:EncryptedData; a copy of it is worked on.
            method: what our engine decrypted by.
            secret: the key.
            plaintext: what our engine made of it.

        Raises:
            WSSecurityError: CROSSCHECK.
        """
        try:
            context = self._xmlsec.EncryptionContext()
            kind = "KeyDataDes" if method == alg.TRIPLEDES_CBC else "KeyDataAes"
            context.key = self._secret_key(kind, secret)
            found = context.decrypt(_bare_copy(element, method, secret))
        except Exception as error:
            raise _disagreement("decryption", error) from error
        if not isinstance(found, bytes) or not hmac.compare_digest(found, plaintext):
            raise WSSecurityError(Reason.CROSSCHECK, "decryption: another plaintext")

    def _key(self, key: PublicKey | bytes) -> Any:
        if isinstance(key, bytes):
            return self._secret_key("KeyDataHmac", key)
        # keys of cryptography cannot be hashed; their encoding is a few microseconds
        return self._public_key(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    def _make_public_key(self, encoded: bytes) -> Any:
        xmlsec = self._xmlsec
        return xmlsec.Key.from_memory(encoded, xmlsec.constants.KeyDataFormatDer, None)

    def _secret_key(self, kind: str, secret: bytes) -> Any:
        xmlsec = self._xmlsec
        return xmlsec.Key.from_binary_data(getattr(xmlsec.constants, kind), secret)


def _load() -> Any:
    try:
        import xmlsec  # noqa: PLC0415 - an extra: a house without crosscheck runs without it
    except Exception as error:  # its own InternalError, too, when lxml has another libxml2
        raise ConfigurationError(
            [
                Problem(
                    "crosscheck",
                    f"the second engine cannot be loaded ({error}): install wsprovider[crosscheck], "
                    "which pins python-xmlsec and lxml of one libxml2",
                )
            ]
        ) from error
    xmlsec.cleanup_callbacks()
    return xmlsec


def _register(context: Any, target: etree._Element) -> None:
    """Tell libxmlsec the one id of an element, in the order in which ours is read."""
    for name, namespace in _ID_ATTRIBUTES:
        if target.get(f"{{{namespace}}}{name}" if namespace else name) is not None:
            context.register_id(target, name, namespace)
            return
    raise ValueError("a target without an id")


def _bare_copy(element: etree._Element, method: str, secret: bytes) -> etree._Element:
    """The EncryptedData alone, without Type (it is to come back as bytes) and KeyInfo (none is read)."""
    bare = copy.deepcopy(element)
    bare.tail = None
    if "Type" in bare.attrib:
        del bare.attrib["Type"]
    for key_info in bare.findall(_KEY_INFO):
        bare.remove(key_info)
    if method in _AES_CBC and _CBC_OF_LENGTH.get(len(secret), method) != method:
        # a short key under the name of a longer one (short_symmetric_keys): name it by its length
        bare.find(_METHOD).set("Algorithm", _CBC_OF_LENGTH[len(secret)])  # type: ignore[union-attr]
    return bare


def _disagreement(what: str, error: Exception) -> WSSecurityError:
    return WSSecurityError(Reason.CROSSCHECK, f"{what}: {type(error).__name__}: {error}")
