"""P04, P05, P08, O06, O07: nothing secret in what we say, nothing done before everything holds."""

import logging

import pytest

from tests.simulator.bend import BODY, HEADER, SECURITY, bend, insert, reencrypt, secret_of, tree
from tests.simulator.world import ECHO, World, echo_body, reply_body
from wsprovider.exchange.initiator import addressing
from wsprovider.outbound.message import Credentials
from wsprovider.soap.version import SOAP_11

CANARY = "canary-7d1f"


def test_no_error_tells_a_password_or_a_plaintext(caplog, capfd):
    caplog.set_level(logging.DEBUG)
    world = World("8", clear_password_over_http=True)
    pending = world.make_initiator(credentials=Credentials("alice", CANARY)).request(
        echo_body(SOAP_11, CANARY), version=SOAP_11
    )
    errors = [world.refused(pending.data)]
    for plaintext in (CANARY.encode() + b"<", b"<a>" + CANARY.encode(), b"<e:" + CANARY.encode() + b"/>"):
        bent = bend(pending.data, reencrypt(f"{BODY}/xenc:EncryptedData", secret_of(pending), plaintext))
        errors.append(world.refused(bent))
    # the reasons of parsing a plaintext may name its form, never more than a name of it
    assert CANARY not in str(errors[0])
    said = capfd.readouterr()
    assert CANARY not in said.out + said.err + caplog.text


def test_keys_and_secrets_do_not_show():
    world = World("8")
    exchange = world.call()
    (secret,) = exchange.pending.secrets.values()
    for value in (
        exchange.verified,
        exchange.pending,
        exchange.verified.verdict,
        exchange.verified.evidence,
        Credentials("alice", "geheim"),
        exchange.verified.keys,
    ):
        text = repr(value)
        assert repr(secret) not in text
        assert secret.hex() not in text
        assert "geheim" not in text
    assert all(len(repr(root)) < 200 for root in exchange.verified.evidence.roots.values())


def test_details_are_bounded():
    world = World("3")
    bent = bend(world.request().data, insert(SECURITY, f"<{'x' * 40_000}/>"))
    error = world.refused(bent)
    assert len(error.detail) <= 300
    assert len(str(error)) < 400


@pytest.mark.parametrize("scenario", ["1", "2", "3", "5", "8", "11", "14"])
def test_nothing_is_asked_of_the_user_store_before_the_message_holds(scenario):
    """P08 and K10: guessing takes a whole genuine message."""
    asked: list[str] = []

    class Watched(type(World("1").users)):
        def check_password(self, name, password, **arguments):
            asked.append(name)
            return super().check_password(name, password, **arguments)

    world = World(scenario)
    world.users = Watched()
    world.recipient = world.make_recipient(world.settings)
    genuine = world.request().data
    asked.clear()  # whoever opened a conversation was asked for
    if scenario != "1":
        world.refused(bend(genuine, insert(BODY, "<e:x/>")))
        world.refused(bend(genuine, insert(SECURITY, "<e:x/>")))
        world.refused(
            genuine.replace(b"CipherValue>A", b"CipherValue>B").replace(b"DigestValue>", b"DigestValue> ", 1)[
                :-1
            ]
        )
        assert asked == []
    world.accept(genuine)
    assert asked == (["alice"] if scenario in {"1", "8"} else [])


def test_reference_parameters_are_not_echoed():
    """O06: we sign nothing of theirs; O07: one reply, to whoever asked."""
    world = World("3")
    sent = addressing(to="http://localhost/echo", action=f"{ECHO}/echo", message_id="urn:a")
    pending = world.request(blocks=sent)
    reply_to = (
        "<wsa:ReplyTo><wsa:Address>http://www.w3.org/2005/08/addressing/anonymous</wsa:Address>"
        f"<wsa:ReferenceParameters><wsse:Security>{CANARY}</wsse:Security></wsa:ReferenceParameters></wsa:ReplyTo>"
    )
    verified = world.accept(bend(pending.data, insert(HEADER, reply_to, 0)))
    reply = world.recipient.reply(verified, reply_body(SOAP_11, "x"))
    assert CANARY.encode() not in reply.data
    assert reply.status == 200
    assert len(tree(reply.data)) == 2
