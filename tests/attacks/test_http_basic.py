"""HTTP Basic beside a UsernameToken: exactly two ways in, everything accounted for, and guessing costs the same."""

from dataclasses import replace

import pytest
from lxml import etree

from tests.simulator.world import ECHO, PLAIN, SECURE, World, echo_body, policy
from tests.unit.explain.explained import explained
from wsprovider.config.http_basic import with_http_basic
from wsprovider.exchange.principal import Proof
from wsprovider.exchange.transport import Transport
from wsprovider.explain.report import Standing
from wsprovider.inbound.http_basic import written
from wsprovider.policy.compile import compile_policy
from wsprovider.policy.model import ClientAuthentication, HttpsToken, Policy
from wsprovider.policy.read import read_policy
from wsprovider.policy.write import write_policy
from wsprovider.scenarios import blocks
from wsprovider.scenarios.catalogue import find
from wsprovider.soap.version import SOAP_11, SOAP_12
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.reasons import Reason
from wsprovider.words.suites import SUITES

BRIDGE = with_http_basic(find("1").policy())
ALONE = Policy("", BRIDGE.alternatives[1:])
ALICE = written("alice", "secret")


def by(authorization: str | None, peer: str = "127.0.0.1") -> Transport:
    return replace(SECURE, authorization=authorization, peer=peer)


def bare(world: World, header: str = "", operation: str = "echo") -> bytes:
    """A message with no security of its own."""
    soap = world.soap.namespace
    return (
        f'<s:Envelope xmlns:s="{soap}">{header}<s:Body><e:{operation} xmlns:e="{ECHO}"/></s:Body></s:Envelope>'
    ).encode()


def test_the_bridge_adds_one_alternative_without_token_and_timestamp():
    first, second = BRIDGE.alternatives
    assert (first,) == find("1").policy().alternatives
    assert second.binding.token.client is ClientAuthentication.BASIC
    assert not second.binding.timestamp
    assert not second.supporting
    assert with_http_basic(BRIDGE) == BRIDGE
    assert read_policy(etree.tostring(write_policy(BRIDGE)), where="written") == BRIDGE


@pytest.mark.parametrize("scenario", ["2", "3", "8", "12", "16"])
def test_no_other_scenario_can_have_it(scenario):
    assert with_http_basic(find(scenario).policy()) == find(scenario).policy()
    assert with_http_basic(find("1").policy()) != find("1").policy()


@pytest.mark.parametrize("soap", [SOAP_11, SOAP_12])
@pytest.mark.parametrize("of", [BRIDGE, ALONE], ids=["bridge", "alone"])
def test_the_caller_is_who_http_says_and_the_reply_is_plain(of, soap):
    world = World(of, soap=soap)
    verified = world.accept(bare(world), transport=by(ALICE))
    principal = verified.principal
    assert (principal.name, principal.proof, principal.roles) == ("alice", Proof.HTTP_BASIC, {"user"})
    reply = etree.fromstring(world.reply(verified, "hi"))
    assert not [block for block in reply[0] if not block.tag.endswith("Body")] or len(reply[0]) == 0
    assert [child.tag for child in reply[-1]] == [f"{{{ECHO}}}echoResponse"]


def test_the_username_token_is_as_it_was():
    world = World(BRIDGE)
    exchange = world.call()
    assert exchange.verified.principal.proof is Proof.PASSWORD
    assert b"Timestamp" in exchange.reply


@pytest.mark.parametrize(
    ("transport", "reason"),
    [
        (by(None), Reason.BASIC_MISSING),
        (by(written("alice", "wrong")), Reason.PASSWORD_WRONG),
        (by(written("nobody", "secret")), Reason.USER_UNKNOWN),
        (by(written("Alice", "secret")), Reason.USER_UNKNOWN),
        (by("Basic YWxpY2U6"), Reason.PASSWORD_MISSING),
        (by(written("alice", "x" * 513)), Reason.PASSWORD_TOO_LONG),
        (by("Bearer abc"), Reason.BASIC_MALFORMED),
        (by(f"{ALICE},{ALICE}"), Reason.BASIC_MALFORMED),
        (PLAIN, Reason.TRANSPORT),
        # the server hands over no header that came in clear; if it did, it would count for nothing
        (replace(PLAIN, authorization=ALICE), Reason.TRANSPORT),
    ],
)
def test_each_refusal_beside_its_twin(transport, reason):
    world = World(BRIDGE)
    message = bare(world)
    error = world.refused(message, transport=transport)
    assert error.reason is reason
    assert "secret" not in str(error)
    world.accept(message, transport=by(ALICE))


def test_both_at_once_are_two_callers():
    """What no requirement uses is refused, be it a header of SOAP or of HTTP."""
    world = World(BRIDGE)
    message = world.request().data
    for authorization in (ALICE, written("bob", "geheim"), written("alice", "wrong"), "Bearer abc"):
        assert world.refused(message, transport=by(authorization)).reason is Reason.TOKEN_UNEXPECTED
    world.accept(message)
    world.accept(bare(world), transport=by(ALICE))


def test_http_does_not_mend_a_username_token():
    """A wrong or a stale token is not saved by right credentials beside it, nor by half of the other alternative."""
    world = World(BRIDGE)
    genuine = world.request().data
    wrong = genuine.replace(b">secret<", b">guess<")
    assert world.refused(wrong, transport=by(ALICE)).reason is Reason.TOKEN_UNEXPECTED
    assert world.refused(wrong).reason is Reason.PASSWORD_WRONG
    world.sleep(1_000)
    stale = world.refused(genuine, transport=by(ALICE)).reason
    assert stale in (Reason.TIMESTAMP_EXPIRED, Reason.TOKEN_UNEXPECTED)
    world.accept(world.request().data)


def test_a_timestamp_beside_http_must_be_fresh_and_nothing_else_may_stand_there():
    world = World(BRIDGE)
    root = etree.fromstring(world.request().data)
    [security] = root[0]
    token = next(child for child in security if child.tag.endswith("UsernameToken"))
    security.remove(token)
    stamped = etree.tostring(root)
    world.accept(stamped, transport=by(ALICE))
    world.sleep(1_000)
    assert world.refused(stamped, transport=by(ALICE)).reason is Reason.TIMESTAMP_EXPIRED
    etree.SubElement(security, "{urn:x}y")
    assert world.refused(etree.tostring(root), transport=by(ALICE)).reason is Reason.UNKNOWN_HEADER_CHILD


@pytest.mark.parametrize("scenario", ["1", "3", "8"])
def test_elsewhere_the_header_is_not_even_read(scenario):
    world = World(scenario)
    for authorization in (None, ALICE, written("alice", "wrong"), "Bearer abc", "\x00" * 100_000):
        here = replace(world.transport, authorization=authorization)
        assert world.refused(bare(world), transport=here).reason is Reason.NO_SECURITY_HEADER
        world.accept(world.request().data, transport=here)


def test_who_sends_a_faulty_token_hears_of_it_and_not_of_http():
    world = World(BRIDGE)
    root = etree.fromstring(world.request().data)
    [security] = root[0]
    token = next(child for child in security if child.tag.endswith("UsernameToken"))
    stamp = next(child for child in security if child.tag.endswith("Timestamp"))
    security.remove(stamp)
    assert world.refused(etree.tostring(root)).reason is Reason.TIMESTAMP_MISSING
    token.remove(next(child for child in token if child.tag.endswith("Password")))
    assert world.refused(etree.tostring(root)).reason is Reason.TIMESTAMP_MISSING
    world.accept(world.request().data)


def test_a_role_is_wanted_of_whoever_comes():
    world = World(BRIDGE, roles=frozenset({"clerk"}))
    assert world.refused(bare(world), transport=by(ALICE)).reason is Reason.ROLE_MISSING
    world.users.roles = frozenset({"clerk"})
    world.accept(bare(world), transport=by(ALICE))


def test_guesses_are_counted_together_with_those_in_tokens():
    """Six wrong passwords by either way, and the caller waits by both."""
    world = World(BRIDGE)
    wrong = world.request().data.replace(b">secret<", b">guess<")
    for number in range(6):
        by_http = number % 2
        transport = by(written("alice", "guess") if by_http else None, peer="192.0.2.9")
        message = bare(world) if by_http else wrong
        assert world.refused(message, transport=transport).reason is Reason.PASSWORD_WRONG
    for message, authorization in ((bare(world), ALICE), (world.request().data, None)):
        refused = world.refused(message, transport=by(authorization, peer="192.0.2.9"))
        assert refused.reason is Reason.AUTHENTICATION_BACKOFF
    world.accept(bare(world), transport=by(ALICE, peer="192.0.2.10"))
    world.sleep(2)
    world.accept(bare(world), transport=by(ALICE, peer="192.0.2.9"))


SUITE = SUITES["Basic256Sha256"]


@pytest.mark.parametrize(
    ("refused", "words", "twin"),
    [
        (
            policy("1", token=HttpsToken(ClientAuthentication.BASIC)),
            "names two users",
            BRIDGE,
        ),
        (
            policy("1", token=HttpsToken(ClientAuthentication.DIGEST)),
            "HttpDigestAuthentication is not supported",
            BRIDGE,
        ),
        (
            Policy("", (blocks.conversation(SUITE, ALONE.alternatives[0], signed=blocks.BODY, encrypted=blocks.BODY),)),
            "cannot open a conversation",
            Policy(
                "",
                (
                    blocks.conversation(
                        SUITE, BRIDGE.alternatives[0], signed=blocks.BODY, encrypted=blocks.BODY
                    ),
                ),
            ),
        ),
    ],
)  # fmt: skip
def test_policies_that_would_prove_nothing_more_are_refused_at_start(refused, words, twin):
    with pytest.raises(ConfigurationError, match=words):
        compile_policy(refused, "policy.xml")
    assert compile_policy(twin, "policy.xml")


def test_an_explanation_has_the_alternative_that_was_meant():
    world = World(BRIDGE)
    accepted = explained(world, bare(world), transport=by(ALICE)).report
    assert accepted.accepted
    assert "alice (HTTP Basic password)" in accepted.headline
    refused = explained(world, bare(world), transport=by("Bearer abc")).report
    assert refused.trouble.reason is Reason.BASIC_MALFORMED
    [closest] = [way for way in refused.ways if way.closest]
    [failing] = [demand for demand in closest.demands if demand.standing is Standing.FAILS]
    assert failing.words == "A user name and a password come with HTTP (Basic)"
    both = explained(world, world.request().data, transport=by(ALICE)).report
    assert both.trouble.reason is Reason.TOKEN_UNEXPECTED
    assert both.trouble.spot is None


def test_our_own_call_follows_the_alternative_that_it_is_given():
    """The initiator of the second alternative adds nothing to a message; who carries it adds the header."""
    world = World(BRIDGE)
    initiator = world.make_initiator(policy=ALONE)
    pending = initiator.request(echo_body(world.soap, "hello"), version=world.soap)
    assert b"Security" not in pending.data
    reply = world.reply(world.accept(pending.data, transport=by(ALICE)))
    assert initiator.accept(pending, reply, secure=True).payload is not None
    assert world.refused(pending.data).reason is Reason.BASIC_MISSING
