"""What a hostile reading of conversations and endorsing tokens found, each as the attack it was."""

import base64
import itertools
import os
from dataclasses import replace as other

import pytest
from lxml import etree

from tests.simulator.bend import (
    BODY,
    NS,
    SECURITY,
    SIGNATURE,
    TIMESTAMP,
    WSU_ID,
    bend,
    every,
    one,
    remove,
    resign,
    secret_of,
    text,
    tree,
)
from tests.simulator.world import (
    ECHO,
    PLAIN,
    SECURE,
    Passwords,
    World,
    echo_body,
    issued,
    party,
    policy,
)
from wsprovider.crypto.ciphers import decrypt, encrypt
from wsprovider.exchange.settings import ConversationSettings, Operation
from wsprovider.exchange.transport import Transport
from wsprovider.policy.model import (
    DerivedKeys,
    HeaderPart,
    Parts,
    Policy,
    SupportingTokens,
    SymmetricBinding,
)
from wsprovider.scenarios import blocks
from wsprovider.scenarios.catalogue import find
from wsprovider.soap.version import SOAP_11, SOAP_12
from wsprovider.words.errors import ConfigurationError, SoapError, WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.words.suites import SUITES
from wsprovider.words.trust import WST_200502, WST_200512

CIPHER = f"{BODY}/xenc:EncryptedData//xenc:CipherValue"
CBC = "Basic256Sha256"


def octets_of(message: bytes, path: str = CIPHER) -> bytes:
    return base64.b64decode(one(tree(message), path).text or "")


def carrying(octets: bytes, path: str = CIPHER):
    return text(path, base64.b64encode(octets).decode("ascii"))


def stranger_of(world: World):
    """Somebody who holds nothing but the service's certificate, and signs with a key made for it."""
    nobody = party(issued("stranger-of-nobody"), ("service", world.service.certificate))
    anonymous = find("6").policy(SUITES[CBC])
    return world.make_initiator(nobody, policy=anonymous, credentials=None)


def by_context(identifier: str):
    """An EncryptedData's key named as a security context."""

    def change(data: etree._Element) -> None:
        reference = one(data, "ds:KeyInfo")[0]
        for child in list(reference):
            reference.remove(child)
        reference.attrib.clear()
        named = etree.SubElement(reference, f"{{{NS['wsse']}}}Reference")
        named.set("URI", identifier)
        named.set("ValueType", f"{NS['wsc']}/sct")

    return change


def only_the_timestamp(root: etree._Element) -> None:
    info = one(root, f"{SIGNATURE}/ds:SignedInfo")
    stamp = one(root, TIMESTAMP).get(WSU_ID)
    for reference in info.findall(f"{{{NS['ds']}}}Reference"):
        if reference.get("URI") != f"#{stamp}":
            info.remove(reference)


@pytest.mark.parametrize("scenario", ["11", "13", "15"])
def test_a_strangers_signature_asks_nothing_of_a_contexts_key(scenario):
    """A padding check answers by time, however alike the faults are."""
    world = World(scenario, suite=CBC, opinion=None, client_opinion=None)
    victim = world.call("card 4111-1111-1111-1111").request
    cipher = octets_of(victim)
    stranger = stranger_of(world)
    for guess in (0, 16):
        pending = stranger.request(echo_body(world.soap, "x"), version=world.soap)
        forged = bend(
            pending.data,
            lambda root: by_context(world.session.context.identifier)(
                one(root, f"{BODY}/xenc:EncryptedData")
            ),
            carrying(os.urandom(15) + bytes((guess,)) + cipher[48:64]),
            only_the_timestamp,
            resign(secret=secret_of(pending), digests=False),
        )
        assert world.refused(forged).reason is Reason.PROTECTION_KEY
    world.call("and goes on")


@pytest.mark.parametrize("scenario", ["6", "8"])
def test_a_strangers_signature_asks_nothing_of_anothers_encrypted_key(scenario):
    """The same without conversations: his own key signs, the victim's decrypts."""
    world = World(scenario, suite=CBC, opinion=None, client_opinion=None)
    victim = tree(world.request("card 4111-1111-1111-1111").data)
    theirs = one(victim, f"{SECURITY}/xenc:EncryptedKey")
    pending = stranger_of(world).request(echo_body(world.soap, "x"), version=world.soap)

    def take_the_victims(root: etree._Element) -> None:
        one(root, SECURITY).insert(0, theirs)
        data = one(root, f"{BODY}/xenc:EncryptedData")
        one(data, "ds:KeyInfo//wsse:Reference").set("URI", f"#{theirs.get('Id')}")

    forged = bend(
        pending.data, take_the_victims, only_the_timestamp, resign(secret=secret_of(pending), digests=False)
    )
    assert world.refused(forged).reason is Reason.PROTECTION_KEY
    world.call()


def over_tls() -> Policy:
    """A conversation that is opened over TLS by a user name."""
    suite = SUITES[CBC]
    (bootstrap,) = find("1").policy(suite).alternatives
    return Policy("", (blocks.conversation(suite, bootstrap, signed=blocks.BODY, encrypted=blocks.BODY),))


def test_nothing_unsigned_is_decrypted_where_the_bootstrap_is_over_tls():
    world = World(over_tls(), opinion=None, client_opinion=None)
    assert world.transport is SECURE
    genuine = world.request("hello").data
    assert world.refused(bend(genuine, remove(SIGNATURE))).reason is Reason.SIGNATURE_MISSING
    assert world.accept(genuine).principal.name == "alice"


def test_over_tls_alone_nothing_is_decrypted_at_all():
    world, sealed = World("1"), World("8")
    data = one(tree(sealed.request().data), f"{BODY}/xenc:EncryptedData")
    assert data is not None
    forged = bend(world.request().data, lambda root: one(root, BODY).clear() or one(root, BODY).append(data))
    assert world.refused(forged).reason is Reason.ENCRYPTION_UNEXPECTED


def test_what_an_encrypted_signature_says_makes_no_fault_of_its_own():
    """The name of a context in it: right, wrong, or not well-formed."""
    world = World(policy("11", encrypt_signature=True), opinion=None, client_opinion=None)
    world.open()
    context = world.session.context
    genuine = world.request("hello").data
    root = tree(genuine)
    token = one(root, "//wsc:SecurityContextToken").get(WSU_ID)
    data = every(root, f"{SECURITY}/xenc:EncryptedData")[-1]
    method = one(data, "xenc:EncryptionMethod").get("Algorithm", "")
    plain = decrypt(method, context.secret, base64.b64decode(one(data, ".//xenc:CipherValue").text or ""))
    assert b"SignatureValue" in plain
    for uri in (f"{context.identifier[:-1]}{'1' if context.identifier[-1] == '0' else '0'}", "<"):
        forged = plain.replace(f'URI="#{token}"'.encode(), f'URI="{uri}"'.encode())
        one(data, ".//xenc:CipherValue").text = base64.b64encode(
            encrypt(method, context.secret, forged, os.urandom)
        ).decode()
        error = world.refused(etree.tostring(root))
        assert isinstance(error, WSSecurityError)
        assert error.reason is Reason.DECRYPTED_STRUCTURE
    world.accept(genuine)


def test_an_encrypted_header_that_is_not_understood_makes_no_fault_of_its_own():
    parts = Parts(body=True, headers=(HeaderPart("urn:h", "P"),))
    named = policy("6", CBC, encrypted=parts, signed=parts)
    header = etree.fromstring(f'<P xmlns="urn:h" xmlns:s="{NS["s"]}" s:mustUnderstand="1">1234</P>')
    knows = World(named, understood=frozenset({"{urn:h}P"}))
    knows.accept(knows.request(headers=[header]).data)
    world = World(named)
    assert isinstance(world.refused(world.request(headers=[header]).data), WSSecurityError)


@pytest.mark.parametrize(
    "supporting",
    [
        SupportingTokens((blocks.USERNAME_10,), signed=True),
        SupportingTokens((blocks.X509_IN_REQUEST,), endorsing=True),
    ],
    ids=["user name", "endorsing certificate"],
)
def test_supporting_tokens_beside_a_context_are_refused_at_start(supporting):
    """Nobody would have authenticated them."""
    with pytest.raises(ConfigurationError, match="BootstrapPolicy"):
        World(policy("12", alternative={"supporting": (supporting,)}))
    World("12").call()


def test_an_old_body_is_refused_though_its_padding_is_exchanged():
    """CBC: where the last block is all padding, another block may pass for it."""
    world = World("14", suite=CBC, opinion=None, client_opinion=None)
    old = [world.call("pay 100 to " + "x" * count).request for count in range(16)]
    withheld = world.request("something harmless").data
    for message in old:
        octets = octets_of(message)
        for _ in range(40):
            forged = bend(withheld, carrying(octets[:-16] + os.urandom(16)))
            assert isinstance(world.refused(forged), WSSecurityError)
    world.accept(withheld)


@pytest.mark.parametrize("scenario", ["9", "10", "11", "12", "13", "13e", "14", "15"])
def test_our_own_reply_is_no_request(scenario):
    """Where one operation takes what another gives, nothing but the ids tells the direction."""
    world = World(scenario)
    confirm = Operation("confirm", f"{{{ECHO}}}echoResponse", f"{ECHO}/confirm", f"{ECHO}/confirmResponse")
    world.settings = other(world.settings, operations={**world.settings.operations, confirm.input: confirm})
    world.recipient = world.make_recipient(world.settings)
    exchange = world.call("approve transfer 7")
    error = world.refused(exchange.reply)
    assert (error.reason, error.detail) == (Reason.REPLAY, "our own reply")
    body = etree.Element(f"{{{world.soap.namespace}}}Body")
    etree.SubElement(body, confirm.input).text = "approved"
    assert world.accept(world.request(body=body).data).operation == confirm


@pytest.mark.parametrize("scenario", ["10", "13e", "14"])
def test_a_replys_header_carries_no_request(scenario):
    world = World(scenario)
    dropped = world.request("sell now").data
    reply = world.call("other").reply
    forged = bend(reply, carrying(octets_of(dropped)))
    assert world.refused(forged).reason is Reason.REPLAY
    world.accept(dropped)


@pytest.mark.parametrize("scenario", ["9", "10", "11", "12", "13", "13e", "14", "15"])
def test_an_earlier_reply_answers_no_later_request(scenario):
    world = World(scenario)
    first = world.call("balance=1000000")
    later = world.request("balance?")
    reply = world.reply(world.accept(later.data))
    with pytest.raises(WSSecurityError) as refused:
        world.session.accept(later, first.reply, secure=False)
    assert refused.value.reason is Reason.REPLAY
    world.session.accept(later, reply, secure=False)


@pytest.mark.parametrize("scenario", ["10", "13e", "14"])
def test_a_refused_copy_burns_nothing(scenario):
    """The header of a message on its way, with an old Body, sent ahead of it."""
    world = World(scenario)
    old = world.call("old").request
    genuine = world.request("new").data
    assert world.refused(bend(genuine, carrying(octets_of(old)))).reason is Reason.REPLAY
    world.accept(genuine)


def test_a_worker_that_is_behind_ends_no_context():
    world = World("15")
    behind = world.make_recipient(world.settings)
    world.users = Passwords(roles=frozenset({"user", "auditor"}))
    world.recipient = ahead = world.make_recipient(world.settings)
    world.call("opened by whoever knows the new roles")
    world.recipient = behind
    assert world.refused(world.request().data).reason is Reason.CONTEXT_OWNER
    world.recipient = ahead
    world.call("goes on")


@pytest.mark.parametrize("tightened", ["15", "11"])
def test_a_context_does_not_outlive_its_policy(tightened):
    """An endpoint for anybody becomes one for users: its old contexts are those of nobody."""
    world = World("13")
    message = world.request().data
    lax, world.policy = world.policy, find(tightened).policy()
    world.recipient = world.make_recipient(world.settings)
    assert world.refused(message).reason is Reason.CONTEXT_ENDPOINT
    world.policy = lax
    world.recipient = world.make_recipient(world.settings)
    world.accept(message)


def test_nobody_takes_everybodys_place():
    """Anonymous callers of one endpoint fill three quarters of the contexts, users find room."""
    limits = ConversationSettings(per_owner=5, contexts=20)
    world = World("15", conversation=limits)
    users, user_policy = world.recipient, world.policy
    world.policy = find("13").policy()
    public = world.make_recipient(other(world.settings, path="/public"))

    def guest(address: str) -> None:
        session = world.make_session(policy=world.policy, address="http://service.example.org/public")
        asking = session.ask(version=world.soap)
        at = Transport(secure=False, peer=address)
        public.answer(public.accept(asking.data, version=world.soap, transport=at))

    for number in range(15):
        guest(f"192.0.2.{number}")
    with pytest.raises(SoapError) as refused:
        guest("192.0.2.99")
    assert refused.value.reason is Reason.CONTEXT_LIMIT
    world.policy, world.recipient = user_policy, users
    world.call("alice")


def test_an_ipv6_network_is_one_caller():
    world = World("13", conversation=ConversationSettings(per_owner=3, contexts=100))
    for number in range(3):
        session = world.make_session()
        world.answer(session.ask(version=world.soap).data, transport=Transport(False, f"2001:db8::{number}"))
    asking = world.make_session().ask(version=world.soap)
    assert world.refused_answer(asking.data, transport=Transport(False, "2001:db8::9")).reason is (
        Reason.CONTEXT_LIMIT
    )
    other_network = world.make_session().ask(version=world.soap)
    world.answer(other_network.data, transport=Transport(False, "2001:db8:1::9"))


@pytest.mark.parametrize("scenario", ["10", "13e", "14"])
def test_unsigned_bodies_have_a_budget_of_their_own(scenario):
    """They are remembered for the life of a context, which must not fill the store of replay marks."""
    world = World(scenario, conversation=ConversationSettings(unsigned_calls=3))
    before = world.store.size()
    for number in range(3):
        world.call(str(number))
    assert world.store.size() - before <= 5  # signatures of a bootstrap and three calls
    error = world.refused(world.request("one more").data)
    assert error.reason is Reason.CONTEXT_LIMIT
    world.ask(world.session, world.session.ask_renewal(version=world.soap))
    world.sleep(4000)
    world.session.context = None
    world.call("in another context")


def test_a_contexts_key_stands_for_no_encrypted_key():
    """Scenario 11: the Body of a bootstrap encrypted by a context that the sender has already."""
    world = World("11", opinion=None, client_opinion=None)
    world.open()
    context = world.session.context
    asking = world.make_session().ask(version=world.soap)
    root = tree(asking.data)
    data = one(root, f"{BODY}/xenc:EncryptedData")
    by_context(context.identifier)(data)
    method = one(data, "xenc:EncryptionMethod").get("Algorithm", "")
    sealed = encrypt(method, context.secret, b"<x/>", os.urandom)
    one(data, ".//xenc:CipherValue").text = base64.b64encode(sealed).decode("ascii")
    listed = one(root, f"{SECURITY}/xenc:EncryptedKey/xenc:ReferenceList")
    key = listed.getparent()
    key.getparent().replace(key, listed)
    assert world.refused(etree.tostring(root)).reason is Reason.PROTECTION_KEY
    world.answer(asking.data)


@pytest.mark.parametrize("trust", [WST_200502, WST_200512], ids=["2005/02", "200512"])
def test_a_full_store_answers_in_the_clients_words(trust):
    world = World("15", trust=trust, conversation=ConversationSettings(per_owner=1, contexts=10))
    world.open()
    error = world.refused_answer(world.make_session(trust=trust).ask(version=world.soap).data)
    assert trust.namespace.encode() in world.recipient.refuse(error, version=world.soap).data


def variant(scenario: str, derived: DerivedKeys, *, protect: bool, sealed: bool, before: bool) -> Policy:
    (outer,) = find(scenario).policy().alternatives
    token = outer.binding.signature_token
    (bootstrap,) = token.bootstrap.alternatives
    lines = {"protect_tokens": protect, "encrypt_signature": sealed, "encrypt_before_signing": before}
    binding = other(bootstrap.binding, **lines)
    if isinstance(binding, SymmetricBinding):
        held = other(binding.signature_token, derived_keys=derived)
        binding = other(binding, signature_token=held, encryption_token=held)
    token = other(token, derived_keys=derived, bootstrap=Policy("", (other(bootstrap, binding=binding),)))
    bound = other(outer.binding, signature_token=token, encryption_token=token, **lines)
    return Policy("", (other(outer, binding=bound),))


LINES = list(itertools.product((False, True), repeat=3))


@pytest.mark.parametrize(("protect", "sealed", "before"), LINES)
@pytest.mark.parametrize("derived", [DerivedKeys.NONE, DerivedKeys.EXPLICIT, DerivedKeys.IMPLIED])
@pytest.mark.parametrize("scenario", ["9", "10", "11", "12", "14", "15"])
def test_every_form_of_token_is_written_as_it_is_digested(scenario, derived, protect, sealed, before):
    """Derived keys of a renewed context under ProtectTokens were not; so all of it, before and after."""
    form = variant(scenario, derived, protect=protect, sealed=sealed, before=before)
    for trust, soap in ((WST_200502, SOAP_11), (WST_200512, SOAP_12)):
        world = World(form, trust=trust, soap=soap)
        assert world.call("a<&>b").text == "a<&>b"
        world.ask(world.session, world.session.ask_renewal(version=soap))
        assert world.call("c").text == "c"
        world.ask(world.session, world.session.ask_end(version=soap))


def test_a_call_over_plain_http_in_a_context_that_was_opened_over_tls():
    """The context protects it; nothing of TLS is needed any more."""
    world = World(over_tls())
    world.open()
    assert world.accept(world.request().data, transport=PLAIN).principal.name == "alice"
