"""P01: within a class of failures every reply is the same bytes; the time of each is benchmarks/oracle.py's."""

import pytest

from tests.simulator.bend import BODY, SECURITY, SIGNATURE, bend, flip, reencrypt, secret_of
from tests.simulator.world import World, echo_body
from wsprovider.outbound.message import Credentials
from wsprovider.words.reasons import Reason

DATA = f"{BODY}/xenc:EncryptedData"
VALUE = f"{DATA}/xenc:CipherData/xenc:CipherValue"
KEY = f"{SECURITY}/xenc:EncryptedKey/xenc:CipherData/xenc:CipherValue"
LONG = "lorem ipsum " * 20


def answer(world, message):
    """Why a message is refused, and all that its sender gets to see."""
    error = world.refused(message)
    fault = world.recipient.refuse(error, version=world.soap)
    return error.reason, (fault.status, fault.content_type, fault.data)


def answers(world, members):
    """Those of all members; each is bent from a fresh message whose twin is accepted."""
    found = {}
    for name, change in members.items():
        pending = world.request(LONG)
        found[name] = answer(world, bend(pending.data, change(pending)))
        world.accept(pending.data)
    return found


def last_block(pending):
    """Changes the padding, and the block before it."""
    del pending
    return flip(VALUE, octet=-17, bit=0x55)


def content(change):
    return lambda pending: reencrypt(DATA, secret_of(pending), change)


@pytest.mark.parametrize("scenario", ["6", "8"])
@pytest.mark.parametrize("suite", ["Basic256Sha256", "Basic256GcmSha256"])
def test_keys_ciphers_and_digests(scenario, suite):
    world = World(scenario, suite=suite)
    found = answers(
        world,
        {
            "RSA unwrap": lambda _: flip(KEY, octet=40),
            "HMAC": lambda _: flip(f"{SIGNATURE}/ds:SignatureValue"),
            "padding or tag": last_block,
            "no XML": content(lambda plaintext: plaintext[:-1]),
            "digest": content(lambda plaintext: plaintext.replace(b"lorem", b"lirum", 1)),
        },
    )
    assert len({seen for _, seen in found.values()}) == 1
    assert {name: reason for name, (reason, _) in found.items()} == {
        "RSA unwrap": Reason.SIGNATURE_VALUE,
        "HMAC": Reason.SIGNATURE_VALUE,
        "padding or tag": Reason.DECRYPTION,
        "no XML": Reason.DECRYPTED_STRUCTURE,
        "digest": Reason.DIGEST_MISMATCH,
    }


@pytest.mark.parametrize("suite", ["Basic256Sha256", "Basic256GcmSha256"])
def test_what_a_certificate_signs(suite):
    world = World("5", suite=suite)
    found = answers(world, {"RSA unwrap": lambda _: flip(KEY, octet=40), "padding or tag": last_block})
    assert len({seen for _, seen in found.values()}) == 1


@pytest.mark.parametrize("suite", ["Basic256Sha256", "Basic256GcmSha256"])
def test_what_cannot_be_decrypted_is_parsed_all_the_same(suite, monkeypatch):
    """A padding that did not hold was refused a parse sooner than one that held by chance: 100 us and more."""
    from wsprovider.inbound import examine

    spliced = []
    genuine = examine.splice

    def counted(root, grafts, *rest):
        spliced.append([len(graft.plaintext) for graft in grafts])
        return genuine(root, grafts, *rest)

    monkeypatch.setattr(examine, "splice", counted)
    world = World("6", suite=suite)
    pending = world.request(LONG)
    assert world.refused(bend(pending.data, last_block(pending))).reason is Reason.DECRYPTION
    world.accept(pending.data)
    assert len(spliced) == 2
    assert abs(spliced[0][0] - spliced[1][0]) <= 16


@pytest.mark.parametrize("digest", [False, True])
@pytest.mark.parametrize("scenario", ["1", "8"])
def test_users(scenario, digest):
    world = World(scenario, clear_password_over_http=True)
    seen = {}
    for name, password, reason in (
        ("nobody", "secret", Reason.USER_UNKNOWN),
        ("alice", "wrong", Reason.PASSWORD_WRONG),
        ("bob", "secret", Reason.PASSWORD_WRONG),
    ):
        caller = world.make_initiator(credentials=Credentials(name, password, digest=digest))
        message = caller.request(echo_body(world.soap, "hello"), version=world.soap).data
        found, seen[name] = answer(world, message)
        assert found is reason
    assert len(set(seen.values())) == 1
    world.call()
