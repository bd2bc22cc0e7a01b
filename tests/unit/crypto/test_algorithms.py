"""Signature and digest methods: known answers, other implementations, and what is no signature at all."""

import hashlib
import hmac
import subprocess
from base64 import b64decode

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator import pki
from wsprovider.crypto.algorithms import (
    ASYMMETRIC_SIGNATURES,
    DIGESTS,
    SYMMETRIC_SIGNATURES,
    fitting_signature,
    sign_asymmetric,
    sign_symmetric,
    verify_asymmetric,
    verify_symmetric,
)
from wsprovider.words import algorithms as alg
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.words.suites import SUITES

RSA = {alg.RSA_SHA1: "sha1", alg.RSA_SHA256: "sha256", alg.RSA_SHA384: "sha384", alg.RSA_SHA512: "sha512"}
ECDSA = {alg.ECDSA_SHA256: "sha256", alg.ECDSA_SHA384: "sha384", alg.ECDSA_SHA512: "sha512"}
CURVES = {"ec-p256": 32, "ec-p384": 48, "ec-p521": 66}
DATA = b"<ds:SignedInfo>what is signed</ds:SignedInfo>"


def refused(reason, call, *arguments):
    with pytest.raises(WSSecurityError) as caught:
        call(*arguments)
    assert caught.value.reason is reason


# digests -------------------------------------------------------------------------------------------

ABC = {  # FIPS 180-4's example message "abc"
    alg.SHA1: "a9993e364706816aba3e25717850c26c9cd0d89d",
    alg.SHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    alg.SHA384: "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163"
    "1a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    alg.SHA512: "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
}


def test_digests_of_abc():
    assert {uri: row.digest(b"abc").hex() for uri, row in DIGESTS.items()} == ABC


# HMAC ----------------------------------------------------------------------------------------------

JEFE = {  # RFC 2202 and RFC 4231, test case 2
    alg.HMAC_SHA1: "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
    alg.HMAC_SHA256: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    alg.HMAC_SHA384: "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
    "8e2240ca5e69e2c78b3239ecfab21649",
    alg.HMAC_SHA512: "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
    "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
}


@pytest.mark.parametrize("uri", SYMMETRIC_SIGNATURES)
def test_hmac_known_answers(uri):
    value = sign_symmetric(uri, b"Jefe", b"what do ya want for nothing?")
    assert value.hex() == JEFE[uri]
    verify_symmetric(uri, b"Jefe", value, b"what do ya want for nothing?")


@pytest.mark.parametrize("uri", SYMMETRIC_SIGNATURES)
def test_hmac_of_another_length_key_or_text_is_refused(uri):
    value = sign_symmetric(uri, b"key", DATA)
    for bent in (b"", value[:1], value[: len(value) // 2], value[:-1], value + b"\0", value * 2, value[::-1]):
        refused(Reason.SIGNATURE_VALUE, verify_symmetric, uri, b"key", bent, DATA)
    refused(Reason.SIGNATURE_VALUE, verify_symmetric, uri, b"kez", value, DATA)
    refused(Reason.SIGNATURE_VALUE, verify_symmetric, uri, b"key", value, DATA + b" ")


@given(st.sampled_from(sorted(SYMMETRIC_SIGNATURES)), st.binary(max_size=200), st.binary(max_size=300))
def test_hmac_by_its_definition(uri, key, text):
    """RFC 2104, written out."""
    name = SYMMETRIC_SIGNATURES[uri]
    block = hashlib.new(name).block_size
    padded = (hashlib.new(name, key).digest() if len(key) > block else key).ljust(block, b"\0")
    inner = hashlib.new(name, bytes(b ^ 0x36 for b in padded) + text).digest()
    assert sign_symmetric(uri, key, text) == (
        hashlib.new(name, bytes(b ^ 0x5C for b in padded) + inner).digest()
    )


# RSA -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uri", RSA)
@pytest.mark.parametrize("bits", [2048, 3072])
def test_rsa_both_ways_with_another_call(uri, bits):
    key = pki.key(f"rsa-{bits}")
    digest = getattr(hashes, RSA[uri].upper())()
    theirs = key.sign(DATA, padding.PKCS1v15(), digest)
    assert sign_asymmetric(uri, key, DATA) == theirs  # the scheme has no randomness
    verify_asymmetric(uri, key.public_key(), theirs, DATA)
    key.public_key().verify(theirs, DATA, padding.PKCS1v15(), digest)


@pytest.mark.parametrize("uri", RSA)
def test_rsa_against_openssl(uri, tmp_path):
    key = pki.key()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    made = subprocess.run(
        ["openssl", "dgst", f"-{RSA[uri]}", "-sign", tmp_path / "key.pem"],
        input=DATA,
        capture_output=True,
        check=True,
    )
    verify_asymmetric(uri, key.public_key(), made.stdout, DATA)


@pytest.mark.parametrize("uri", RSA)
def test_rsa_by_its_definition(uri):
    """RFC 8017 section 8.2, with integers: the padding must be there to the last octet."""
    key = pki.key()
    numbers = key.private_numbers()
    n, d, size = numbers.public_numbers.n, numbers.d, 256
    prefix = {
        "sha1": "3021300906052b0e03021a05000414",
        "sha256": "3031300d060960864801650304020105000420",
        "sha384": "3041300d060960864801650304020205000430",
        "sha512": "3051300d060960864801650304020305000440",
    }[RSA[uri]]
    information = bytes.fromhex(prefix) + hashlib.new(RSA[uri], DATA).digest()

    def power(block):
        return pow(int.from_bytes(block, "big"), d, n).to_bytes(size, "big")

    full = b"\0\1" + b"\xff" * (size - 3 - len(information)) + b"\0" + information
    verify_asymmetric(uri, key.public_key(), power(full), DATA)
    forgeries = [
        b"\0\2" + full[2:],  # block type of encryption
        b"\0\1"
        + b"\xff" * 8
        + b"\0"
        + information
        + bytes(size - 11 - len(information)),  # Bleichenbacher 2006
        full[:40] + b"\xfe" + full[41:],
        b"\0\1" + b"\xff" * (size - 3 - len(information[2:])) + b"\0" + information[2:],
    ]
    for forged in forgeries:
        refused(Reason.SIGNATURE_VALUE, verify_asymmetric, uri, key.public_key(), power(forged), DATA)


@pytest.mark.parametrize("uri", RSA)
def test_rsa_values_of_another_length_are_refused(uri):
    key = pki.key()
    value = sign_asymmetric(uri, key, DATA)
    n = key.public_key().public_numbers().n
    larger = (int.from_bytes(value, "big") + n).to_bytes(257, "big")
    for bent in (
        b"",
        b"\0",
        value[:-1],
        value[1:],
        value + b"\0",
        b"\0" + value,
        value * 2,
        larger,
        bytes(256),
    ):
        refused(Reason.SIGNATURE_VALUE, verify_asymmetric, uri, key.public_key(), bent, DATA)


def test_rsa_methods_are_not_interchangeable():
    key = pki.key()
    for made in RSA:
        value = sign_asymmetric(made, key, DATA)
        for read in RSA.keys() - {made}:
            refused(Reason.SIGNATURE_VALUE, verify_asymmetric, read, key.public_key(), value, DATA)


# ECDSA ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uri", ECDSA)
@pytest.mark.parametrize(("kind", "half"), CURVES.items())
def test_ecdsa_is_r_and_s_of_fixed_length(uri, kind, half):
    key = pki.key(kind)
    scheme = ec.ECDSA(getattr(hashes, ECDSA[uri].upper())())
    value = sign_asymmetric(uri, key, DATA)
    assert len(value) == 2 * half
    r, s = int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big")
    key.public_key().verify(utils.encode_dss_signature(r, s), DATA, scheme)
    r, s = utils.decode_dss_signature(key.sign(DATA, scheme))
    verify_asymmetric(uri, key.public_key(), r.to_bytes(half, "big") + s.to_bytes(half, "big"), DATA)


@pytest.mark.parametrize("uri", ECDSA)
@pytest.mark.parametrize(("kind", "half"), CURVES.items())
def test_ecdsa_in_any_other_spelling_is_refused(uri, kind, half):
    key = pki.key(kind)
    public = key.public_key()
    value = sign_asymmetric(uri, key, DATA)
    r, s = int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big")
    order = {
        "ec-p256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        "ec-p384": int(
            "ffffffffffffffffffffffffffffffffffffffffffffffff"
            "c7634d81f4372ddf581a0db248b0a77aecec196accc52973",
            16,
        ),
    }.get(kind)
    bent = [
        b"",
        utils.encode_dss_signature(r, s),  # DER, as OpenSSL writes it
        value[:-1],
        value + b"\0",
        b"\0" + value[:half] + b"\0" + value[half:],
        value[half:] + value[:half],
        bytes(2 * half),
        value[:half] + bytes(half),
        bytes(half) + value[half:],
        b"\xff" * (2 * half),
    ]
    if order is not None and r + order < 1 << 8 * half:
        bent.append((r + order).to_bytes(half, "big") + value[half:])
    for one in bent:
        refused(Reason.SIGNATURE_VALUE, verify_asymmetric, uri, public, one, DATA)
    refused(Reason.SIGNATURE_VALUE, verify_asymmetric, uri, public, value, DATA + b" ")


def test_ecdsa_with_leading_zeros():
    """r and s keep their length even when they are small numbers (a few hundred tries find one)."""
    key = pki.key("ec-p256")
    for _ in range(5000):
        value = sign_asymmetric(alg.ECDSA_SHA256, key, DATA)
        if value[0] == 0 or value[32] == 0:
            verify_asymmetric(alg.ECDSA_SHA256, key.public_key(), value, DATA)
            return
    pytest.fail("no leading zero in 5,000 signatures")


def test_ecdsa_known_answer():
    """RFC 6979, appendix A.2.5: P-256, SHA-256, message "sample"."""
    x = "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
    y = "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"
    r = "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
    s = "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
    public = ec.EllipticCurvePublicNumbers(int(x, 16), int(y, 16), ec.SECP256R1()).public_key()
    verify_asymmetric(alg.ECDSA_SHA256, public, bytes.fromhex(r + s), b"sample")


# Ed25519 -------------------------------------------------------------------------------------------


def test_ed25519_known_answer():
    """RFC 8032 section 7.1, test 2."""
    secret = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
    value = (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
    assert sign_asymmetric(alg.EDDSA_ED25519, key, b"\x72").hex() == value
    verify_asymmetric(alg.EDDSA_ED25519, key.public_key(), bytes.fromhex(value), b"\x72")


def test_ed25519_of_another_length_is_refused():
    key = pki.key("ed25519")
    value = sign_asymmetric(alg.EDDSA_ED25519, key, DATA)
    order = 2**252 + 27742317777372353535851937790883648493
    larger = value[:32] + (int.from_bytes(value[32:], "little") + order).to_bytes(32, "little")
    for bent in (b"", value[:-1], value + b"\0", value[32:] + value[:32], bytes(64), larger):
        refused(Reason.SIGNATURE_VALUE, verify_asymmetric, alg.EDDSA_ED25519, key.public_key(), bent, DATA)


# rows ----------------------------------------------------------------------------------------------

KEYS = {
    "rsa-2048": rsa.RSAPublicKey,
    "ec-p256": ec.EllipticCurvePublicKey,
    "ed25519": ed25519.Ed25519PublicKey,
}


@pytest.mark.parametrize("uri", ASYMMETRIC_SIGNATURES)
@pytest.mark.parametrize("kind", KEYS)
def test_a_key_of_another_kind_is_refused_before_anything(uri, kind):
    public = pki.key(kind).public_key()
    fits = isinstance(public, ASYMMETRIC_SIGNATURES[uri].key)
    refused(Reason.SIGNATURE_VALUE if fits else Reason.KEY_KIND, verify_asymmetric, uri, public, b"", b"")


def test_a_public_key_is_no_secret():
    """The oldest confusion: HMAC keyed by the bytes of a certificate's key. No row allows it."""
    assert not ASYMMETRIC_SIGNATURES.keys() & SYMMETRIC_SIGNATURES.keys()
    encoded = pki.key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    value = hmac.digest(encoded, DATA, "sha256")
    with pytest.raises(KeyError):
        verify_asymmetric(alg.HMAC_SHA256, pki.key().public_key(), value, DATA)


def test_the_first_fitting_method_is_chosen():
    methods = (alg.ECDSA_SHA384, alg.RSA_SHA512, alg.ECDSA_SHA256, alg.RSA_SHA256)
    assert fitting_signature(pki.key(), methods) == alg.RSA_SHA512
    assert fitting_signature(pki.key("ec-p256"), methods) == alg.ECDSA_SHA384
    assert fitting_signature(pki.key("ed25519"), methods) is None
    assert fitting_signature(pki.key(), ("urn:unknown",)) is None


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
def test_every_method_of_every_suite_has_a_row(suite):
    assert set(suite.digests) <= DIGESTS.keys()
    assert set(suite.asymmetric_signatures) <= ASYMMETRIC_SIGNATURES.keys()
    assert set(suite.symmetric_signatures) <= SYMMETRIC_SIGNATURES.keys()


def test_base64_of_an_hmac_is_not_an_hmac():
    value = sign_symmetric(alg.HMAC_SHA256, b"key", DATA)
    refused(
        Reason.SIGNATURE_VALUE, verify_symmetric, alg.HMAC_SHA256, b"key", b64decode("AAAA") + value, DATA
    )
