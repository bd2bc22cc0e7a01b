"""Data encryption and key transport: known answers, every padding, and failures that tell nothing."""

import os
import subprocess
from itertools import product

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator import pki
from wsprovider.crypto.ciphers import CIPHERS, decrypt, encrypt, unwrap_key, wrap_key
from wsprovider.words import algorithms as alg
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.words.suites import SUITES, KeyTransport

CBC = [row for row in CIPHERS.values() if not row.authenticated]
GCM = [row for row in CIPHERS.values() if row.authenticated]
LENGTHS = frozenset({16, 32})


def named(rows):
    return pytest.mark.parametrize("row", rows, ids=[row.uri.rpartition("#")[2] for row in rows])


def refused(uri, key, octets):
    """Refused, and with nothing said about why."""
    with pytest.raises(WSSecurityError) as caught:
        decrypt(uri, key, octets)
    assert caught.value.reason is Reason.DECRYPTION
    assert caught.value.detail == ""
    assert caught.value.__cause__ is None


def raw_cbc(row, key, iv, blocks):
    """CBC without any padding, by a call of its own."""
    algorithm = TripleDES if row.uri == alg.TRIPLEDES_CBC else algorithms.AES
    encryptor = Cipher(algorithm(key), modes.CBC(iv)).encryptor()
    return iv + encryptor.update(blocks) + encryptor.finalize()


# known answers -------------------------------------------------------------------------------------


def test_aes_cbc_known_answers():
    """NIST SP 800-38A, F.2: four blocks; here the last octet is made a padding of one."""
    iv = bytes(range(16))
    plain = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
    first = {
        alg.AES128_CBC: ("2b7e151628aed2a6abf7158809cf4f3c", "7649abac8119b246cee98e9b12e9197d"),
        alg.AES192_CBC: (
            "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
            "4f021db243bc633d7178183a9fa071e8",
        ),
        alg.AES256_CBC: (
            "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
            "f58c4c04d6e5f1ba779eabfb5f7bfbd6",
        ),
    }
    for uri, (key, block) in first.items():
        made = encrypt(uri, bytes.fromhex(key), plain, lambda _: iv)
        assert made[:16] == iv
        assert made[16:32].hex() == block
        assert decrypt(uri, bytes.fromhex(key), made) == plain


def test_gcm_known_answers():
    """The GCM specification (McGrew, Viega), test cases 2 and 14, and test case 3 without its last octets."""
    zero = bytes(12)
    for uri, size, expected in (
        (alg.AES128_GCM, 16, "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"),
        (alg.AES192_GCM, 24, "98e7247c07f0fe411c267e4384b0f6002ff58d80033927ab8ef4d4587514f0fb"),
        (alg.AES256_GCM, 32, "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"),
    ):
        assert encrypt(uri, bytes(size), bytes(16), lambda _: zero).hex() == zero.hex() + expected
        assert decrypt(uri, bytes(size), zero + bytes.fromhex(expected)) == bytes(16)


@named(CBC)
@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 1000])
def test_cbc_against_openssl(row, length):
    key, plain = os.urandom(row.key_bytes), os.urandom(length)
    made = encrypt(row.uri, key, plain, os.urandom)
    name = "des-ede3-cbc" if row.uri == alg.TRIPLEDES_CBC else f"aes-{row.key_bytes * 8}-cbc"
    iv = made[: row.iv_bytes]
    shown = subprocess.run(
        ["openssl", "enc", "-d", f"-{name}", "-K", key.hex(), "-iv", iv.hex(), "-nopad"],
        input=made[row.iv_bytes :],
        capture_output=True,
        check=True,
    ).stdout
    pad = row.block_bytes - length % row.block_bytes
    assert shown == plain + bytes(pad - 1) + bytes([pad])
    theirs = subprocess.run(  # PKCS #7's padding is one of those that XML Encryption allows
        ["openssl", "enc", "-e", f"-{name}", "-K", key.hex(), "-iv", iv.hex()],
        input=plain,
        capture_output=True,
        check=True,
    ).stdout
    assert decrypt(row.uri, key, iv + theirs) == plain


# padding -------------------------------------------------------------------------------------------


@named(CBC)
def test_every_pad_length(row):
    key, iv, block = os.urandom(row.key_bytes), os.urandom(row.iv_bytes), row.block_bytes
    for pad in range(1, block + 1):
        for filler in (b"\0", b"\xff", bytes([pad])):
            text = b"t" * (block - pad)
            octets = raw_cbc(row, key, iv, text + filler * (pad - 1) + bytes([pad]))
            assert decrypt(row.uri, key, octets) == text
            assert len(encrypt(row.uri, key, text, os.urandom)) == row.iv_bytes + block


@named(CBC)
@pytest.mark.parametrize("blocks", [1, 2])
def test_pads_that_do_not_fit(row, blocks):
    key, iv, block = os.urandom(row.key_bytes), os.urandom(row.iv_bytes), row.block_bytes
    for pad in (0, *range(block + 1, 256)):
        refused(row.uri, key, raw_cbc(row, key, iv, b"t" * (block * blocks - 1) + bytes([pad])))


@named(CBC)
def test_octets_that_are_no_whole_blocks(row):
    key = os.urandom(row.key_bytes)
    whole = encrypt(row.uri, key, b"t" * 40, os.urandom)
    for length in range(len(whole)):
        if length % row.block_bytes or length < 2 * row.block_bytes:
            refused(row.uri, key, whole[:length])


@named(CBC)
def test_another_iv_changes_the_first_block_only(row):
    """CBC has no integrity: the reason why an unsigned Body wants GCM."""
    key, text = os.urandom(row.key_bytes), b"t" * (3 * row.block_bytes)
    octets = bytearray(encrypt(row.uri, key, text, os.urandom))
    octets[0] ^= 1
    assert decrypt(row.uri, key, bytes(octets)) == bytes([text[0] ^ 1]) + text[1:]


@named(list(CIPHERS.values()))
@given(text=st.binary(max_size=100))
def test_what_was_encrypted_comes_back(row, text):
    key = os.urandom(row.key_bytes)
    made = encrypt(row.uri, key, text, os.urandom)
    assert decrypt(row.uri, key, made) == text
    assert made != encrypt(row.uri, key, text, os.urandom)


@named(list(CIPHERS.values()))
def test_keys_of_another_length_are_refused_alike(row):
    octets = encrypt(row.uri, os.urandom(row.key_bytes), b"text", os.urandom)
    for length in (0, 1, 5, 15, 33, 64):
        refused(row.uri, bytes(length), octets)


# GCM -----------------------------------------------------------------------------------------------


@named(GCM)
def test_gcm_tags_are_never_short(row):
    key = os.urandom(row.key_bytes)
    made = encrypt(row.uri, key, b"some text", os.urandom)
    for length in range(len(made)):
        refused(row.uri, key, made[:length])
    refused(row.uri, key, made + b"\0")
    empty = encrypt(row.uri, key, b"", os.urandom)
    assert len(empty) == 28
    assert decrypt(row.uri, key, empty) == b""


@named(GCM)
def test_gcm_notices_any_changed_bit(row):
    key = os.urandom(row.key_bytes)
    made = encrypt(row.uri, key, b"some text", os.urandom)
    for place, bit in product(range(len(made)), (0, 7)):
        bent = bytearray(made)
        bent[place] ^= 1 << bit
        refused(row.uri, key, bytes(bent))


# key transport -------------------------------------------------------------------------------------

HASHES = {None: hashes.SHA1, alg.SHA1: hashes.SHA1, alg.SHA256: hashes.SHA256, alg.SHA384: hashes.SHA384}
HASHES[alg.SHA512] = hashes.SHA512
MASKS = {None: hashes.SHA1, alg.MGF1_SHA1: hashes.SHA1, alg.MGF1_SHA256: hashes.SHA256}
MASKS |= {alg.MGF1_SHA384: hashes.SHA384, alg.MGF1_SHA512: hashes.SHA512}
OAEP = [KeyTransport(alg.RSA_OAEP, digest, mask) for digest in HASHES for mask in MASKS]
OAEP += [KeyTransport(alg.RSA_OAEP_MGF1P, digest) for digest in HASHES]
RSA15 = KeyTransport(alg.RSA_15)


def numbered(length):
    """An entropy whose bytes a test can tell."""
    return b"\xee" * length


def unwrapped(transport, octets, lengths=LENGTHS, label="transport"):
    return unwrap_key(transport, pki.key("rsa-2048", label), octets, lengths, numbered)


@pytest.mark.parametrize(
    "transport",
    OAEP,
    ids=lambda one: "-".join(str(v).rpartition("#")[2] for v in (one.method, one.digest, one.mgf)),
)
def test_oaep_against_another_call(transport):
    key, secret = pki.key("rsa-2048", "transport"), os.urandom(32)
    scheme = padding.OAEP(padding.MGF1(MASKS[transport.mgf]()), HASHES[transport.digest](), None)
    assert unwrapped(transport, key.public_key().encrypt(secret, scheme)) == secret
    assert key.decrypt(wrap_key(transport, key.public_key(), secret), scheme) == secret
    labelled = padding.OAEP(padding.MGF1(MASKS[transport.mgf]()), HASHES[transport.digest](), b"label")
    assert unwrapped(transport, key.public_key().encrypt(secret, labelled)) == numbered(32)


@pytest.mark.parametrize(
    ("transport", "options"),
    [
        (KeyTransport(alg.RSA_OAEP_MGF1P), ["rsa_padding_mode:oaep"]),
        (
            KeyTransport(alg.RSA_OAEP, alg.SHA256, alg.MGF1_SHA256),
            ["rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha256"],
        ),
        (
            KeyTransport(alg.RSA_OAEP, alg.SHA256),
            ["rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha1"],
        ),
        (RSA15, ["rsa_padding_mode:pkcs1"]),
    ],
    ids=["mgf1p", "sha256", "sha256-mgf-sha1", "rsa15"],
)
def test_against_openssl(transport, options, tmp_path):
    key = pki.key("rsa-2048", "transport")
    (tmp_path / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    arguments = [
        "-inkey",
        tmp_path / "key.pem",
        *(part for option in options for part in ("-pkeyopt", option)),
    ]

    def openssl(way, data):
        command = ["openssl", "pkeyutl", way, *arguments]
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout

    secret = os.urandom(16)
    assert unwrapped(transport, openssl("-encrypt", secret)) == secret
    assert openssl("-decrypt", wrap_key(transport, key.public_key(), secret)) == secret


@pytest.mark.parametrize(
    "transport", [RSA15, KeyTransport(alg.RSA_OAEP_MGF1P), OAEP[7]], ids=["15", "mgf1p", "oaep"]
)
@pytest.mark.parametrize("lengths", [{16}, {24}, {32}, {16, 24, 32}], ids=str)
def test_a_failure_gives_a_random_key_and_never_an_error(transport, lengths):
    longest = max(lengths)
    public = pki.key("rsa-2048", "transport").public_key()
    genuine = wrap_key(transport, public, bytes(longest))
    other = wrap_key(transport, pki.key("rsa-2048", "other").public_key(), bytes(longest))
    modulus = public.public_numbers().n.to_bytes(256, "big")
    lengths = frozenset(lengths)
    assert unwrapped(transport, genuine, lengths) == bytes(longest)
    bent = [
        b"",
        b"\0",
        genuine[:-1],
        genuine + b"\0",
        genuine[::-1],
        other,
        modulus,
        b"\xff" * 256,
        bytes(256),
    ]
    bent += [wrap_key(transport, public, bytes(length)) for length in (1, 15, 17, 31, 33, 64)]
    for octets in bent:
        found = unwrapped(transport, octets, lengths)
        assert len(found) in lengths
        assert found == numbered(longest) or transport is RSA15


def test_the_random_key_is_drawn_whatever_happens():
    """Success and failure ask for entropy alike, so that neither can be told by it."""
    drawn = []

    def entropy(length):
        drawn.append(length)
        return os.urandom(length)

    key = pki.key("rsa-2048", "transport")
    transport = KeyTransport(alg.RSA_OAEP_MGF1P)
    for octets in (wrap_key(transport, key.public_key(), bytes(32)), b"\0" * 256):
        unwrap_key(transport, key, octets, LENGTHS, entropy)
    assert drawn == [32, 32]


def raw_rsa(block):
    numbers = pki.key("rsa-2048", "transport").public_key().public_numbers()
    return pow(int.from_bytes(block, "big"), numbers.e, numbers.n).to_bytes(256, "big")


def test_rsa_15_padding_is_no_oracle():
    """Whatever stands in the decrypted block: a key of an allowed length, and no error."""
    good = b"\0\2" + b"\x11" * (256 - 3 - 32) + b"\0" + b"s" * 32
    assert unwrapped(RSA15, raw_rsa(good)) == b"s" * 32
    blocks = [
        b"\0\1" + good[2:],
        b"\1\2" + good[2:],
        b"\0\2" + b"\x11" * 254,  # no end of padding
        b"\0\2\0" + good[3:],  # padding too short
        b"\0\2" + b"\x11" * (256 - 3 - 5) + b"\0" + b"s" * 5,  # a secret of no allowed length
        bytes(256),
    ]
    for block in blocks:
        assert len(unwrapped(RSA15, raw_rsa(block))) in LENGTHS
        assert unwrapped(RSA15, raw_rsa(block)) != b"s" * 32


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
def test_every_method_of_every_suite_works(suite):
    key = pki.key("rsa-2048", "transport")
    assert set(suite.encryptions) <= CIPHERS.keys()
    assert CIPHERS[suite.encryptions[0]].key_bytes * 8 == suite.symmetric_bits
    for transport in suite.key_transports:
        assert unwrapped(transport, wrap_key(transport, key.public_key(), b"k" * 32)) == b"k" * 32
