"""Algorithm suites: what is accepted and what is emitted (WS-SecurityPolicy 1.2, section 6.1).

The standard's own suites name SHA-1 signatures even where they demand SHA-256 digests. A row here
follows the house's decisions: the ``*Sha256`` suites emit and accept SHA-2 signatures; the SHA-1
forms are let in only by :func:`allow_sha1` (``rsa_sha1 = true`` in a service's file). The suites
without ``Sha256`` are the standard's, to the letter, for partners whose policies demand them.
"""

from dataclasses import dataclass, replace
from typing import Final

from wsprovider.words import algorithms as alg

_RSA_SHA2: Final = (alg.RSA_SHA256, alg.RSA_SHA384, alg.RSA_SHA512)
_OTHER_SHA2: Final = (
    alg.ECDSA_SHA256,
    alg.ECDSA_SHA384,
    alg.ECDSA_SHA512,
    alg.EDDSA_ED25519,
)
_SHA2_DIGESTS: Final = (alg.SHA256, alg.SHA384, alg.SHA512)


@dataclass(frozen=True, slots=True)
class KeyTransport:
    """How a key is encrypted to a certificate: method, OAEP digest, mask generation digest.

    ``digest`` and ``mgf`` are None where the message carries no such child and the method's default
    (SHA-1 and MGF1 with SHA-1, XML Encryption 1.1 section 5.5.2) applies, and for RSA 1.5.
    """

    method: str
    digest: str | None = None
    mgf: str | None = None


@dataclass(frozen=True, slots=True)
class Suite:
    """One algorithm suite.

    The first value of each tuple is emitted; all are accepted. Sizes are bits.

    Attributes:
        name: the assertion's local name, or our own short name.
        digests: digest methods.
        asymmetric_signatures: signature methods by a private key (the one emitted is the first that
            fits the key).
        symmetric_signatures: signature methods by a secret key.
        encryptions: data encryption methods.
        key_transports: how keys are encrypted to certificates.
        symmetric_bits: length of a generated key, which is also the only length accepted.
        signature_derived_bits, encryption_derived_bits: length of derived keys.
        rsa_minimum, rsa_maximum: RSA modulus.
        weak: using it takes a visible line, and a warning at start.
        custom: no name of the standard fits; it is published as Apache CXF's CustomAlgorithmSuite
            or GCM assertion.
    """

    name: str
    digests: tuple[str, ...]
    asymmetric_signatures: tuple[str, ...]
    symmetric_signatures: tuple[str, ...]
    encryptions: tuple[str, ...]
    key_transports: tuple[KeyTransport, ...]
    symmetric_bits: int
    signature_derived_bits: int
    encryption_derived_bits: int
    weak: bool = False
    custom: bool = False
    short_symmetric_keys: bool = False

    @property
    def malleable(self) -> bool:
        """The emitted data encryption has no integrity of its own (CBC)."""
        return self.encryptions[0].endswith("-cbc")


_OAEP_SHA1: Final = KeyTransport(alg.RSA_OAEP_MGF1P)
_OAEP_SHA1_NAMED: Final = KeyTransport(alg.RSA_OAEP_MGF1P, alg.SHA1)
_OAEP_MGF1P_SHA256: Final = KeyTransport(alg.RSA_OAEP_MGF1P, alg.SHA256)
_OAEP_SHA256: Final = KeyTransport(alg.RSA_OAEP, alg.SHA256, alg.MGF1_SHA256)
_OAEP_SHA256_MGF_SHA1: Final = KeyTransport(alg.RSA_OAEP, alg.SHA256, alg.MGF1_SHA1)
_OAEP_SHA256_MGF_NONE: Final = KeyTransport(alg.RSA_OAEP, alg.SHA256)
_OAEP_ALL: Final = (
    _OAEP_SHA1,
    _OAEP_SHA1_NAMED,
    _OAEP_MGF1P_SHA256,
    _OAEP_SHA256,
    _OAEP_SHA256_MGF_SHA1,
    _OAEP_SHA256_MGF_NONE,
)
_OAEP_ONLY_SHA1: Final = (_OAEP_SHA1, _OAEP_SHA1_NAMED)


def _standard(name: str, cipher: str, bits: int, derived: int) -> Suite:
    return Suite(
        name=name,
        digests=(alg.SHA1,),
        asymmetric_signatures=(alg.RSA_SHA1,),
        symmetric_signatures=(alg.HMAC_SHA1,),
        encryptions=(cipher,),
        key_transports=_OAEP_ONLY_SHA1,
        symmetric_bits=bits,
        signature_derived_bits=derived,
        encryption_derived_bits=bits,
    )


def _sha256(name: str, cipher: str, bits: int, derived: int) -> Suite:
    return Suite(
        name=name,
        digests=_SHA2_DIGESTS,
        asymmetric_signatures=(*_RSA_SHA2, *_OTHER_SHA2),
        symmetric_signatures=(alg.HMAC_SHA256, alg.HMAC_SHA1),
        encryptions=(cipher,),
        key_transports=_OAEP_ALL,
        symmetric_bits=bits,
        signature_derived_bits=derived,
        encryption_derived_bits=bits,
    )


def _gcm(name: str, cipher: str, bits: int) -> Suite:
    return Suite(
        name=name,
        digests=_SHA2_DIGESTS,
        asymmetric_signatures=(*_RSA_SHA2, *_OTHER_SHA2),
        symmetric_signatures=(alg.HMAC_SHA256, alg.HMAC_SHA1),
        encryptions=(cipher,),
        key_transports=_OAEP_ALL,
        symmetric_bits=bits,
        signature_derived_bits=192 if bits > 128 else 128,
        encryption_derived_bits=bits,
        custom=True,
    )


def _rsa15(suite: Suite, name: str) -> Suite:
    return replace(suite, name=name, key_transports=(KeyTransport(alg.RSA_15),), weak=True)


_BASE: Final = (
    _standard("Basic256", alg.AES256_CBC, 256, 192),
    _standard("Basic192", alg.AES192_CBC, 192, 192),
    _standard("Basic128", alg.AES128_CBC, 128, 128),
    replace(_standard("TripleDes", alg.TRIPLEDES_CBC, 192, 192), weak=True),
    _sha256("Basic256Sha256", alg.AES256_CBC, 256, 192),
    _sha256("Basic192Sha256", alg.AES192_CBC, 192, 192),
    _sha256("Basic128Sha256", alg.AES128_CBC, 128, 128),
    replace(_sha256("TripleDesSha256", alg.TRIPLEDES_CBC, 192, 192), weak=True),
)

SUITES: Final[dict[str, Suite]] = {
    suite.name: suite
    for suite in (
        *_BASE,
        *(
            _rsa15(
                base,
                base.name.removesuffix("Sha256")
                + ("Sha256Rsa15" if base.name.endswith("Sha256") else "Rsa15"),
            )
            for base in _BASE
        ),
        _gcm("Basic256GcmSha256", alg.AES256_GCM, 256),
        _gcm("Basic192GcmSha256", alg.AES192_GCM, 192),
        _gcm("Basic128GcmSha256", alg.AES128_GCM, 128),
    )
}
"""Every suite by name: eight of the standard with OAEP, the same with RSA 1.5, three with GCM."""


def allow_sha1(suite: Suite) -> Suite:
    """Accept SHA-1 signatures and digests beside what the suite names (``rsa_sha1 = true``).

    Nothing that is emitted on our own account changes; a reply follows the request's method.
    """
    return replace(
        suite,
        digests=_joined(suite.digests, alg.SHA1),
        asymmetric_signatures=_joined(suite.asymmetric_signatures, alg.RSA_SHA1),
        symmetric_signatures=_joined(suite.symmetric_signatures, alg.HMAC_SHA1),
    )


def allow_short_symmetric_keys(suite: Suite) -> Suite:
    """Accept 128-bit keys under a suite of 256 bits, labelled as the suite says.

    Apache Rampart since 1.6 sends such messages for symmetric bindings (``short_symmetric_keys``).
    """
    return replace(suite, short_symmetric_keys=True)


def _joined(values: tuple[str, ...], value: str) -> tuple[str, ...]:
    return values if value in values else (*values, value)
