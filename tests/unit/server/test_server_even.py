"""When refusals leave that came of something decrypted."""

import pytest

from tests.simulator.bend import BODY, SIGNATURE, bend, flip, reencrypt, secret_of
from tests.simulator.world import World
from wsprovider.server import even

DATA = f"{BODY}/xenc:EncryptedData"


@pytest.mark.parametrize("took", [0.0001, 0.0008, 0.0031, 0.0249])
@pytest.mark.parametrize("received", [2_000, 1_000_000])
def test_the_moment_depends_on_the_length_alone(took, received):
    slept = []
    even.pause(100.0, received, clock=lambda: 100.0 + took, wait=slept.append)
    assert sum(slept) + took == pytest.approx(even.WINDOW + even.PER_BYTE * received)


def test_who_is_late_leaves_at_the_next_moment():
    slept = []
    span = even.WINDOW + even.PER_BYTE * 2_000
    even.pause(0.0, 2_000, clock=lambda: 1.5 * span, wait=slept.append)
    assert slept == [pytest.approx(span / 2)]


CHANGES = {
    "padding": lambda p: flip(f"{DATA}/xenc:CipherData/xenc:CipherValue", octet=-17),
    "first letter": lambda p: flip(f"{DATA}/xenc:CipherData/xenc:CipherValue"),
    "no XML": lambda p: reencrypt(DATA, secret_of(p), b"<"),
    "digest": lambda p: reencrypt(DATA, secret_of(p), lambda text: text.replace(b"hello", b"hullo")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_decrypted_is_refused_at_its_moment_and_nothing_else(plain, monkeypatch, change):
    """P01 and I06, the time class; the genuine message and one that is refused before wait for nothing."""
    paused = []
    monkeypatch.setattr(even, "pause", lambda started, received: paused.append(received))
    world = World("6")
    provider = plain.echo_provider(world)
    genuine = world.request()
    bent = bend(genuine.data, CHANGES[change](genuine))
    refused = plain.call(provider, bent, PATH_INFO="/echo")
    assert refused.status == 500
    assert paused == [len(bent)]
    unsigned = bend(genuine.data, flip(f"{SIGNATURE}/ds:SignatureValue"))
    assert plain.call(provider, unsigned, PATH_INFO="/echo").data == refused.data
    assert plain.call(provider, genuine.data, PATH_INFO="/echo").status == 200
    assert len(paused) == 1
