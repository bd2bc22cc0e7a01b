"""P_SHA1: known answers, its definition written out, and the pieces that messages cut from it."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsprovider.crypto.derivation import DEFAULT_LABEL, DEFAULT_LENGTH, p_sha1


def hmac_sha1(key, text):
    """RFC 2104, independent of the standard library's hmac."""
    key = (hashlib.sha1(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.sha1(bytes(b ^ 0x36 for b in key) + text).digest()
    return hashlib.sha1(bytes(b ^ 0x5C for b in key) + inner).digest()


def by_definition(secret, seed, length):
    """RFC 2246 section 5: A(0) = seed, A(i) = HMAC(A(i-1)); the stream is HMAC(A(i) + seed)."""
    count = -(-length // 20)
    chain = [seed]
    for _ in range(count):
        chain.append(hmac_sha1(secret, chain[-1]))
    return b"".join(hmac_sha1(secret, a + seed) for a in chain[1:])[:length]


@given(
    st.binary(max_size=80),
    st.binary(max_size=80),
    st.integers(min_value=0, max_value=120),
    st.integers(min_value=0, max_value=120),
)
def test_by_its_definition(secret, seed, length, offset):
    assert p_sha1(secret, seed, length, offset) == by_definition(secret, seed, offset + length)[offset:]


@pytest.mark.parametrize("length", [1, 16, 19, 20, 21, 24, 32, 39, 40, 41, 64])
def test_a_shorter_key_is_the_start_of_a_longer_one(length):
    whole = p_sha1(b"secret", b"labelnonce", 200)
    assert p_sha1(b"secret", b"labelnonce", length) == whole[:length]
    assert p_sha1(b"secret", b"labelnonce", length, 33) == whole[33 : 33 + length]
    assert len(p_sha1(b"secret", b"labelnonce", length)) == length


@pytest.mark.parametrize(
    ("offset", "key"),
    [
        (0, "c380004b090ac23b9f4867489b937d3227f380224bf3c7bc71887110a8b5e697"),
        (5, "0ac23b9f4867489b937d3227f380224bf3c7bc71887110a8"),
        (32, "166949a3a5c4db6f732c60851a0c3c37"),
    ],
)
def test_known_answer(offset, key):
    """What Apache WSS4J 4.0.1 derives from the same secret, default label, nonce and offset."""
    secret, nonce = bytes(range(32)), bytes(range(0xF0, 0x100))
    assert p_sha1(secret, DEFAULT_LABEL + nonce, len(key) // 2, offset).hex() == key


def test_no_length_is_nothing():
    assert p_sha1(b"secret", b"seed", 0) == b""


def test_the_defaults_of_the_standard():
    """WS-SecureConversation 1.3 section 7: label twice over, 32 bytes."""
    assert DEFAULT_LABEL == b"WS-SecureConversation" * 2
    assert DEFAULT_LENGTH == 32
