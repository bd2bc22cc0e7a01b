"""Nothing is decrypted for a message that is stale, unsigned, or was accepted before (I02, I08).

A CBC padding check answers questions by time, however alike the faults are; so it is asked only on
behalf of a fresh message whose signature holds over its Timestamp, and only the first time.
"""

import base64
import re

import pytest

from tests.simulator.world import World, policy
from wsprovider.header.times import format_time
from wsprovider.inbound import decrypting
from wsprovider.words.reasons import Reason

ENCRYPTING = ("4", "5", "6", "7", "8")


@pytest.fixture
def decrypted(monkeypatch):
    """The methods of all data that was decrypted."""
    seen = []
    genuine = decrypting.decrypt_alike

    def recorded(uri, key, octets):
        seen.append(uri)
        return genuine(uri, key, octets)

    monkeypatch.setattr(decrypting, "decrypt_alike", recorded)
    return seen


def changed_body(data):
    """The same message with another octet in the Body's cipher text."""
    start = data.rindex(b"<xenc:CipherValue>") + 40
    return data[:start] + (b"A" if data[start : start + 1] != b"A" else b"B") + data[start + 1 :]


@pytest.mark.parametrize("suite", ["Basic256", "Basic256GcmSha256"])
@pytest.mark.parametrize("number", ENCRYPTING)
class TestBeforeDecryption:
    def test_a_genuine_message_is_decrypted(self, number, suite, decrypted):
        World(number, suite=suite, clear_password_over_http=True).call()
        assert decrypted

    def test_a_stale_one_is_not(self, number, suite, decrypted):
        world = World(number, suite=suite)
        message = world.request().data
        world.sleep(400)
        assert world.refused(message).reason is Reason.TIMESTAMP_EXPIRED
        assert not decrypted

    def test_nor_one_of_the_future(self, number, suite, decrypted):
        world = World(number, suite=suite)
        message = world.request().data
        world.sleep(-120)
        assert world.refused(message).reason is Reason.TIMESTAMP_FUTURE
        assert not decrypted

    def test_nor_a_stale_one_with_a_new_date(self, number, suite, decrypted):
        world = World(number, suite=suite)
        message = world.request().data
        world.sleep(400)
        renewed = re.sub(
            rb"(<wsu:Timestamp.*?<wsu:Created>)[^<]*(</wsu:Created><wsu:Expires>)[^<]*",
            lambda found: b"".join(
                (
                    found[1],
                    format_time(world.now).encode(),
                    found[2],
                    message[message.index(b"Expires>") + 8 :][:4] + b"-12-31T23:59:59.000Z",
                )
            ),
            message,
            count=1,
        )
        assert world.refused(renewed).reason is Reason.DIGEST_MISMATCH
        assert not decrypted

    def test_nor_one_without_a_signature(self, number, suite, decrypted):
        world = World(number, suite=suite)
        message = re.sub(rb"<ds:Signature .*</ds:Signature>", b"", world.request().data)
        assert world.refused(message).reason is Reason.SIGNATURE_MISSING
        assert not decrypted

    def test_nor_a_changed_copy_of_an_accepted_one(self, number, suite, decrypted):
        world = World(number, suite=suite, clear_password_over_http=True)
        message = world.request().data
        world.accept(message)
        decrypted.clear()
        assert world.refused(changed_body(message)).reason is Reason.REPLAY
        assert not decrypted


def body_octets(data):
    """The Body's cipher text."""
    return base64.b64decode(
        data[data.rindex(b"<xenc:CipherValue>") + 18 : data.rindex(b"</xenc:CipherValue>")]
    )


@pytest.fixture
def octets(monkeypatch):
    """All cipher text that was decrypted."""
    seen = []
    genuine = decrypting.decrypt_alike

    def recorded(uri, key, octets):
        seen.append(octets)
        return genuine(uri, key, octets)

    monkeypatch.setattr(decrypting, "decrypt_alike", recorded)
    return seen


OPTIONS = (
    {"encrypt_before_signing": True},
    {"encrypt_signature": True},
    {"encrypt_before_signing": True, "encrypt_signature": True},
)


@pytest.mark.parametrize("options", OPTIONS, ids="+".join)
@pytest.mark.parametrize("number", ["4", "5", "6", "8"])
class TestTheBodyUnderOtherOrders:
    """Where the Signature is encrypted it must be decrypted to be seen; the Body still waits for it."""

    def world(self, number, options):
        return World(policy(number, suite="Basic256", **options), clear_password_over_http=True)

    def test_a_genuine_one_is_decrypted(self, number, options, octets):
        world = self.world(number, options)
        message = world.request().data
        world.accept(message)
        assert octets.count(body_octets(message)) == 1

    def test_a_stale_one_is_not(self, number, options, octets):
        world = self.world(number, options)
        message = world.request().data
        world.sleep(400)
        assert world.refused(message).reason is Reason.TIMESTAMP_EXPIRED
        assert body_octets(message) not in octets

    def test_nor_one_without_a_signature(self, number, options, octets):
        world = self.world(number, options)
        plain = World(number, suite="Basic256").request().data
        unsigned = re.sub(rb"<ds:Signature .*</ds:Signature>", b"", plain)
        assert world.refused(unsigned).reason is Reason.SIGNATURE_MISSING
        assert body_octets(unsigned) not in octets

    def test_nor_a_changed_copy_of_an_accepted_one(self, number, options, octets):
        world = self.world(number, options)
        message = world.request().data
        world.accept(message)
        octets.clear()
        changed = changed_body(message)
        assert world.refused(changed).reason is Reason.REPLAY
        assert body_octets(changed) not in octets
