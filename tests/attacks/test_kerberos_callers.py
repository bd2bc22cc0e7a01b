"""Whose message it is that a Kerberos ticket signs or endorses, and what comes of it: names, replies, conversations."""

import base64
from dataclasses import replace as but
from datetime import timedelta

import pytest

from tests.attacks.rows import R
from tests.simulator.bend import (
    BODY,
    SECURITY,
    SIGNATURE,
    WSU_ID,
    attribute,
    bend,
    flip,
    insert,
    one,
    remove,
    resign,
    secret_of,
    text,
    tree,
)
from tests.simulator.realm import Holder
from tests.simulator.tickets import (
    BODY_TOO,
    EXPLICIT,
    IMPLIED,
    LATER,
    SEALED,
    STR,
    TICKET,
    NoSubKey,
    deriving,
    later,
    named,
    shown,
    spelled,
    token_of,
    under,
    without,
)
from tests.simulator.world import SECURE, World, echo_body, policy
from wsprovider.exchange.initiator import Pending
from wsprovider.exchange.principal import Proof
from wsprovider.exchange.settings import KerberosSettings
from wsprovider.keyring.tickets import TicketKey, ticket_sha1
from wsprovider.outbound.message import TicketSecret
from wsprovider.policy.model import HeaderPart, Inclusion, Parts, Policy, SupportingTokens
from wsprovider.scenarios import blocks
from wsprovider.scenarios.catalogue import find
from wsprovider.words import uris
from wsprovider.words.errors import ConfigurationError, WSSecurityError
from wsprovider.words.reasons import Reason

RAW, GSS = uris.KERBEROS_AP_REQ, uris.KERBEROS_GSS_AP_REQ


# who it was -------------------------------------------------------------------------------------------


ONE_REALM = frozenset({"TEST.LOCAL"})


@pytest.mark.parametrize(
    ("settings", "principal", "name"),
    [
        (KerberosSettings(), "alice@TEST.LOCAL", "alice@TEST.LOCAL"),
        (KerberosSettings(names={"alice@TEST.LOCAL": "bob"}), "alice@TEST.LOCAL", "bob"),
        (KerberosSettings(names={"alice@TEST.LOCAL": "bob"}), "alice@OTHER", "alice@OTHER"),
        (KerberosSettings(names={"alice@TEST.LOCAL": "bob"}), "Alice@TEST.LOCAL", "Alice@TEST.LOCAL"),
        (KerberosSettings(realms=ONE_REALM, strip_realm=True), "alice@TEST.LOCAL", "alice"),
        (KerberosSettings(realms=ONE_REALM, strip_realm=True), "alice/admin@TEST.LOCAL", "alice/admin"),
        (KerberosSettings(realms=ONE_REALM, strip_realm=True), r"alice\@B@TEST.LOCAL", r"alice\@B"),
        (
            KerberosSettings(realms=ONE_REALM, strip_realm=True, names={"alice@TEST.LOCAL": "carol"}),
            "alice@TEST.LOCAL",
            "carol",
        ),
    ],
)
def test_names(settings, principal, name):
    world = World("16", kerberos=settings)
    found = world.accept(under(world, shown(world, principal)).data).principal
    assert (found.name, found.proof, found.certificate, found.roles) == (
        name,
        Proof.TICKET,
        None,
        frozenset(),
    )


@pytest.mark.parametrize("realms", [(), ("TEST.LOCAL", "OTHER")])
def test_names_lose_their_realm_where_there_is_one(realms):
    """Else ``alice@OTHER`` would be the user alice."""
    with pytest.raises(ConfigurationError, match="one realm"):
        World("16", kerberos=KerberosSettings(realms=frozenset(realms), strip_realm=True))
    World("3", kerberos=KerberosSettings(realms=frozenset(realms), strip_realm=True)).call()


@pytest.mark.parametrize(
    ("principal", "roles", "reason"),
    [
        ("alice@TEST.LOCAL", {"user"}, None),
        ("alice@TEST.LOCAL", {"user", "admin"}, None),
        ("alice@TEST.LOCAL", {"admin"}, R.ROLE_MISSING),
        ("mallory@TEST.LOCAL", {"user"}, R.USER_UNKNOWN),
        ("Alice@TEST.LOCAL", {"user"}, R.USER_UNKNOWN),
        ("alice/admin@TEST.LOCAL", {"user"}, R.USER_UNKNOWN),
    ],
)
@pytest.mark.parametrize("by_name", [False, True])
def test_roles_are_the_user_stores(principal, roles, reason, by_name):
    settings = KerberosSettings(realms=ONE_REALM, strip_realm=True, later_messages=True)
    world = World("16", kerberos=settings, roles=frozenset(roles))
    message = under(world, shown(world, principal)).data
    if reason is not None:
        assert world.refused(message).reason is reason
        return
    fresh = shown(world, principal)
    verified = world.accept(under(world, fresh).data)
    if by_name:
        verified = world.accept(later(world, fresh))
    assert (verified.principal.name, verified.principal.roles) == ("alice", {"user"})


def test_a_user_who_was_taken_away_comes_no_more():
    settings = KerberosSettings(realms=ONE_REALM, strip_realm=True, later_messages=True)
    world = World("16", kerberos=settings, roles=frozenset({"user"}))
    fresh = shown(world)
    world.accept(under(world, fresh).data)
    del world.users.users["alice"]
    assert world.refused(later(world, fresh)).reason is Reason.USER_UNKNOWN
    assert world.refused(world.request().data).reason is Reason.USER_UNKNOWN


def test_without_a_user_store_nobody_has_a_role():
    world = World("16", roles=frozenset({"user"}))
    world.users = None
    world.recipient = world.make_recipient(world.settings)
    assert world.refused(world.request().data).reason is Reason.ROLE_MISSING


# endorsing ------------------------------------------------------------------------------------------


def endorsed(scenario: str, **binding: object) -> Policy:
    signed = bool(binding.pop("signed", False))
    supporting = SupportingTokens((blocks.KERBEROS,), endorsing=True, signed=signed)
    return policy(scenario, alternative={"supporting": (supporting,)}, **binding)


OVER_TLS, BESIDE_KEY, BESIDE_CERTIFICATE = endorsed("1"), endorsed("8"), endorsed("2")
SECOND = f"({SIGNATURE})[2]"


@pytest.mark.parametrize(
    ("chosen", "name", "proof"),
    [
        (OVER_TLS, "alice@TEST.LOCAL", Proof.TICKET),
        (endorsed("3"), "alice@TEST.LOCAL", Proof.TICKET),
        (endorsed("6", protect_tokens=True), "alice@TEST.LOCAL", Proof.TICKET),
        (endorsed("6", signed=True), "alice@TEST.LOCAL", Proof.TICKET),
        (endorsed("1", signed=True), "alice@TEST.LOCAL", Proof.TICKET),
        (endorsed("6", encrypt_signature=True), "alice@TEST.LOCAL", Proof.TICKET),
        (BESIDE_CERTIFICATE, "client", Proof.CERTIFICATE),
    ],
)
def test_endorsing_tickets(chosen, name, proof):
    world = World(chosen)
    exchange = world.call()
    assert (exchange.verified.principal.name, exchange.verified.principal.proof) == (name, proof)
    assert world.realm.accepted == 1
    assert b"Kerberosv5APREQSHA1" not in exchange.reply
    assert world.refused(exchange.request).reason is Reason.REPLAY


@pytest.mark.parametrize(("chosen", "signature", "reason"), [
    (OVER_TLS, SIGNATURE, R.TOKEN_MISSING), (endorsed("3"), SECOND, R.TOKEN_MISSING),
    (BESIDE_CERTIFICATE, SECOND, R.TOKEN_MISSING),
])  # fmt: skip
def test_a_ticket_that_endorses_nothing(chosen, signature, reason):
    world = World(chosen)
    message = world.request().data
    assert world.refused(bend(message, remove(signature))).reason is reason
    assert world.refused(bend(message, remove(signature), remove(TICKET))).reason is reason
    assert world.refused(bend(message, flip(f"{signature}/ds:SignatureValue"))).reason is R.SIGNATURE_VALUE
    world.accept(message)


@pytest.mark.parametrize(
    ("chosen", "reason"), [(OVER_TLS, R.SIGNATURE_MISSING), (endorsed("3"), R.TIMESTAMP_NOT_SIGNED)]
)
def test_an_endorsement_of_something_else(chosen, reason):
    """Over the Body, say, of a message whose Timestamp is another's."""
    world = World(chosen)
    pending = world.request()
    path = SIGNATURE if chosen is OVER_TLS else SECOND
    body = one(tree(pending.data), BODY).get(WSU_ID) or "Body-x"

    def elsewhere(root):
        one(root, BODY).set(WSU_ID, body)
        one(root, f"{path}/ds:SignedInfo/ds:Reference").set("URI", f"#{body}")

    key = pending.ticket.secret
    error = world.refused(bend(pending.data, elsewhere, resign(secret=key, path=path)))
    assert error.reason is reason
    world.accept(pending.data)


def _taken_over(message: bytes, world: World) -> bytes:
    """Mallory takes the token and the endorsement for his own."""
    mine = shown(world, "mallory@TEST.LOCAL")
    return bend(
        message,
        text(TICKET, base64.b64encode(mine.token).decode()),
        resign(secret=mine.key, path=SECOND),
    )


def _taken_over_by_name(message: bytes, world: World) -> bytes:
    mine = shown(world, "mallory@TEST.LOCAL")
    key = TicketKey(ticket_sha1(mine.token), mine.key, "mallory@TEST.LOCAL", mine.expires)
    assert world.established.keep(key, "/echo", world.now)
    return bend(message, named(ticket_sha1(mine.token)), remove(TICKET), resign(secret=mine.key, path=SECOND))


@pytest.mark.parametrize("take", [_taken_over, _taken_over_by_name])
def test_a_signed_endorsing_ticket_is_not_exchanged(take):
    """Where it is not signed, the message is whoever's endorsed it last: that is what Signed is for."""
    world = World(endorsed("6", signed=True), kerberos=LATER)
    pending = world.request()
    assert world.refused(take(pending.data, world)).reason in (R.DIGEST_MISMATCH, R.REFERENCE_TARGET)
    main = f"({SIGNATURE})[1]"
    identifier = one(tree(pending.data), TICKET).get(WSU_ID)
    without_it = bend(
        pending.data,
        lambda root: _drop(root, main, identifier),
        resign(secret=secret_of(pending), path=main),
        resign(secret=pending.ticket.secret, path=SECOND),
    )
    assert world.refused(without_it).reason is Reason.TOKEN_NOT_SIGNED
    assert world.accept(pending.data).principal.name == "alice@TEST.LOCAL"


def test_neither_is_a_signed_endorsing_certificate():
    """One that is only named stands in no message, and nothing says that the message was to be its holder's."""
    (never, always) = (
        policy("6", alternative={"supporting": (SupportingTokens((token,), endorsing=True, signed=signed),)})
        for token, signed in ((blocks.X509_BY_THUMBPRINT, False), (blocks.X509_IN_REQUEST, True))
    )
    world = World(always)
    pending = world.make_initiator(policy=never).request(echo_body(world.soap, "x"), version=world.soap)
    assert world.refused(pending.data).reason is Reason.TOKEN_NOT_SIGNED
    assert world.call().verified.principal.name == "client"
    World(never).call()


def _drop(root, signature, identifier):
    info = one(root, f"{signature}/ds:SignedInfo")
    info.remove(one(info, f"ds:Reference[@URI='#{identifier}']"))


def test_an_endorsing_ticket_that_is_to_be_protected():
    world = World(endorsed("6", protect_tokens=True))
    pending = world.request()
    identifier = one(tree(pending.data), TICKET).get(WSU_ID)
    forged = bend(
        pending.data,
        lambda root: _drop(root, SECOND, identifier),
        resign(secret=pending.ticket.secret, path=SECOND),
    )
    assert world.refused(forged).reason is Reason.TOKEN_NOT_PROTECTED
    world.accept(pending.data)


def test_an_endorsing_ticket_encrypts_nothing():
    """Its key is not the message's."""
    world = World(BESIDE_KEY, opinion=None, client_opinion=None)
    pending = world.request()
    identifier = one(tree(pending.data), TICKET).get(WSU_ID)

    def by_ticket(root):
        data = one(root, f"{BODY}/xenc:EncryptedData")
        reference = one(data, "ds:KeyInfo//wsse:Reference")
        reference.set("URI", f"#{identifier}")
        reference.set("ValueType", GSS)

    assert world.refused(bend(pending.data, by_ticket)).reason in (R.PROTECTION_KEY, R.DIGEST_MISMATCH)
    world.accept(pending.data)


def test_an_endorsing_ticket_comes_once():
    world = World(OVER_TLS)
    fresh = shown(world)
    world.accept(under(world, fresh).data)
    assert world.refused(under(world, fresh).data).reason is Reason.REPLAY


def test_an_endorsing_ticket_by_name():
    world = World(OVER_TLS, kerberos=LATER)
    fresh = shown(world)
    world.accept(under(world, fresh).data)
    assert world.accept(later(world, fresh)).principal.name == "alice@TEST.LOCAL"
    assert world.refused(later(world, shown(world))).reason is Reason.TICKET_UNKNOWN


def test_over_http_an_endorsing_ticket_protects_nothing():
    world = World(OVER_TLS)
    message = world.request().data
    assert world.refused(message, transport=but(SECURE, secure=False)).reason is Reason.TRANSPORT
    world.accept(message)


# ProtectTokens, and keys of odd lengths -----------------------------------------------------------------


def test_a_ticket_that_is_to_be_protected():
    world = World(policy("16", protect_tokens=True))
    pending = world.request()
    identifier = one(tree(pending.data), TICKET).get(WSU_ID)
    forged = bend(
        pending.data, lambda root: _drop(root, SIGNATURE, identifier), resign(secret=secret_of(pending))
    )
    assert world.refused(forged).reason is Reason.TOKEN_NOT_PROTECTED
    assert world.refused(bend(pending.data, spelled(RAW, b"\x6e"))).reason is Reason.DIGEST_MISMATCH
    world.accept(pending.data)


@pytest.mark.parametrize(("suite", "size", "works"), [
    ("Basic256Sha256", 32, True), ("Basic256Sha256", 24, False), ("Basic256Sha256", 8, False),
    ("Basic128Sha256", 16, True), ("Basic128Sha256", 32, False), ("TripleDes", 24, True), ("TripleDes", 32, False),
])  # fmt: skip
def test_a_key_that_does_not_fit_the_cipher(suite, size, works):
    """Its length is its encryption type's; only signatures, and keys derived from it, take any."""
    settings = {"opinion": None, "client_opinion": None}
    world = World(policy("16", suite, **BODY_TOO), **settings)
    fresh = shown(world, key=bytes(range(size)))
    if works:
        world.accept(under(world, fresh).data)
    else:
        with pytest.raises(ConfigurationError, match=f"{size} bytes"):
            under(world, fresh)
    for keys in (EXPLICIT, IMPLIED):
        other = World(
            policy(
                "16",
                suite,
                signature_token=but(blocks.KERBEROS, derived_keys=keys),
                encryption_token=but(blocks.KERBEROS, derived_keys=keys),
                **BODY_TOO,
            ),
            **settings,
        )
        other.holder.key_bytes = size
        other.call()
    signing = World(policy("16", suite), **settings)
    signing.holder.key_bytes = size
    signing.call()


def test_somebody_elses_client_encrypts_by_a_short_key():
    """Refused for the key's length before anything is decrypted."""
    world = World(policy("16", "Basic256Sha256", **BODY_TOO), opinion=None, client_opinion=None)
    shorter = policy("16", "Basic128Sha256", **BODY_TOO)
    fresh = shown(world, key=bytes(range(16)))
    speaker = world.make_initiator(policy=shorter, tickets=NoSubKey(world, fresh.key))
    message = speaker.request(echo_body(world.soap, "x"), version=world.soap).data
    method = f"{BODY}//xenc:EncryptionMethod"
    forged = bend(message, attribute(method, "Algorithm", "http://www.w3.org/2009/xmlenc11#aes256-gcm"))
    assert world.refused(forged).reason in (R.KEY_SIZE, R.DIGEST_MISMATCH, R.ALGORITHM_NOT_IN_SUITE)


def test_a_request_whose_reply_could_not_be_encrypted():
    """Nothing in the request was, since there was nothing: it is known before the service is called."""
    parts = Parts(headers=(HeaderPart("urn:h", "P"),))
    chosen = policy("16", "Basic256Sha256", signed=but(parts, body=True), encrypted=parts)
    for size in (32, 24):
        world = World(chosen, opinion=None, client_opinion=None)
        world.holder.key_bytes = size
        message = world.request().data
        if size == 32:
            world.accept(message)
        else:
            assert world.refused(message).reason is Reason.KEY_SIZE


# replies ------------------------------------------------------------------------------------------


def _reply_refused(world: World, pending: Pending, reply: bytes) -> Reason:
    with pytest.raises(WSSecurityError) as caught:
        world.initiator.accept(pending, reply, secure=False)
    return caught.value.reason


def test_a_reply_that_comes_back():
    """As a request: by the name of a ticket that the service knows."""
    world = World("16", kerberos=LATER)
    exchange = world.call()
    assert world.refused(exchange.reply).reason in (R.REPLAY, R.SIGNATURE_CONFIRMATION_IN_REQUEST)
    silent = World(policy("16", alternative={"wss": blocks.WSS11}), kerberos=LATER)
    assert silent.refused(silent.call().reply).reason is Reason.REPLAY


def test_a_request_that_comes_back_is_no_reply():
    world = World(policy("16", alternative={"wss": blocks.WSS11}), kerberos=LATER)
    pending = world.request()
    token = base64.b64decode(one(tree(pending.data), TICKET).text or "")
    assert _reply_refused(world, pending, pending.data) is Reason.REPLAY
    assert _reply_refused(world, pending, without(ticket_sha1(token))(pending.data)) is Reason.REPLAY
    other = world.request("other")  # of this client, too
    assert _reply_refused(world, pending, other.data) is Reason.UNSUPPORTED_TOKEN


@pytest.mark.parametrize("chosen", ["16", SEALED, deriving(EXPLICIT, **BODY_TOO)])
def test_a_reply_under_another_ticket(chosen):
    world = World(chosen)
    first, second = world.request("a"), world.request("b")
    replies = {p: world.reply(world.accept(p.data)) for p in (first, second)}
    assert _reply_refused(world, first, replies[second]) is Reason.TICKET_UNKNOWN
    for pending, reply in replies.items():
        world.initiator.accept(pending, reply, secure=False)


def test_a_reply_under_the_same_key_is_told_by_what_it_confirms():
    """Where authenticators bring no sub-key, one key makes all replies; the name in KeyInfo nobody signs."""
    world = World("16")
    world.initiator = world.make_initiator(tickets=NoSubKey(world))
    first, second = world.request("a"), world.request("b")
    replies = [world.reply(world.accept(p.data)) for p in (first, second)]
    value = f"{STR}/wsse:KeyIdentifier"
    mine = one(tree(replies[0]), value).text or ""
    forged = bend(replies[1], text(value, mine))
    assert _reply_refused(world, first, forged) is Reason.SIGNATURE_CONFIRMATION
    world.initiator.accept(first, replies[0], secure=False)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ([flip(f"{SIGNATURE}/ds:SignatureValue")], R.SIGNATURE_VALUE),
        ([flip(f"{STR}/wsse:KeyIdentifier")], R.TICKET_UNKNOWN),
        ([remove(f"{SECURITY}/wsse11:SignatureConfirmation")], R.REFERENCE_TARGET),
        ([text(f"{BODY}//e:echoResult", "forged")], R.DIGEST_MISMATCH),
        ([remove(SIGNATURE)], R.TIMESTAMP_NOT_SIGNED),
    ],
)
def test_bad_replies(changes, reason):
    world = World("16")
    pending = world.request()
    reply = world.reply(world.accept(pending.data))
    assert _reply_refused(world, pending, bend(reply, *changes)) is reason
    world.initiator.accept(pending, reply, secure=False)


# conversations ----------------------------------------------------------------------------------------


def bootstrapped(*more: str) -> Policy:
    """A conversation that is asked for under a ticket (or otherwise)."""
    suite = World("16").policy.alternatives[0].binding.suite
    bootstraps = [but(find("16").policy(suite).alternatives[0], encrypted_parts=blocks.BODY)]
    bootstraps += [find(name).policy(suite).alternatives[0] for name in more]
    base = blocks.conversation(suite, bootstraps[0], signed=blocks.BODY, encrypted=blocks.BODY)
    token = but(base.binding.signature_token, bootstrap=Policy("", tuple(bootstraps)))
    binding = but(base.binding, signature_token=token, encryption_token=token)
    return Policy("", (but(base, binding=binding),))


def _talking(world: World, principal: str = "alice@TEST.LOCAL", **session):
    return world.make_session(tickets=Holder(world.realm, principal), **session)


def _say(world: World, session):
    pending = session.request(echo_body(world.soap, "hello"), version=world.soap)
    verified = world.accept(pending.data)
    session.accept(pending, world.reply(verified), secure=False)
    return verified.principal


@pytest.mark.parametrize("crosschecked", [False, True])
def test_a_conversation_by_a_ticket(crosschecked):
    engines = {} if crosschecked else {"opinion": None, "client_opinion": None}
    world = World(bootstrapped(), **engines)
    session = world.open(_talking(world))
    assert _say(world, session).name == "alice@TEST.LOCAL"
    held = session.context
    world.ask(session, session.ask_renewal(version=world.soap))
    assert session.context.instance != held.instance
    principal = _say(world, session)
    assert (principal.name, principal.proof) == ("alice@TEST.LOCAL", Proof.TICKET)
    assert world.realm.accepted == 2
    world.ask(session, session.ask_end(version=world.soap))
    assert world.store.totals("context", now=world.now).live == 0


def test_a_conversation_ends_with_its_ticket():
    world = World(bootstrapped())
    session = world.make_session(tickets=Holder(world.realm, life=timedelta(minutes=4)))
    world.open(session)
    assert session.expires == world.now + timedelta(minutes=4)
    world.sleep(200)
    assert _say(world, session).name == "alice@TEST.LOCAL"
    world.sleep(60)
    late = session.request(echo_body(world.soap, "hello"), version=world.soap)
    assert world.refused(late.data).reason is Reason.CONTEXT_UNKNOWN


def test_a_conversation_is_opened_once_by_an_ap_req():
    world = World(bootstrapped())
    session = _talking(world)
    asking = session.ask(version=world.soap)
    world.answer(asking.data)
    assert world.refused(asking.data).reason is Reason.REPLAY
    assert world.store.totals("context", now=world.now).live == 1


def test_another_ones_conversation_is_not_renewed():
    world = World(bootstrapped())
    alices, mallory = world.open(_talking(world)), _talking(world, "mallory@TEST.LOCAL")
    mallory.context = alices.context
    asking = mallory.ask_renewal(version=world.soap)  # even who knows its key
    assert world.refused(asking.data).reason is Reason.CONTEXT_IDENTITY
    assert _say(world, alices).name == "alice@TEST.LOCAL"


def test_a_ticket_and_a_certificate_of_one_name_are_two():
    """Trust calls the client what a principal may be called, too."""
    settings = KerberosSettings(names={"mallory@TEST.LOCAL": "client"})
    world = World(bootstrapped("5"), kerberos=settings)
    token = world.policy.alternatives[0].binding.signature_token
    token = but(token, bootstrap=Policy("", token.bootstrap.alternatives[1:]))
    by_certificate = policy("11", signature_token=token, encryption_token=token)
    certified = world.open(world.make_session(policy=by_certificate))
    mallory = _talking(world, "mallory@TEST.LOCAL")
    mallory.context = certified.context
    assert world.refused(mallory.ask_renewal(version=world.soap).data).reason is Reason.CONTEXT_IDENTITY
    principal = _say(world, certified)
    assert (principal.name, principal.proof) == ("client", Proof.CERTIFICATE)


def test_roles_in_a_conversation():
    settings = KerberosSettings(realms=ONE_REALM, strip_realm=True)
    world = World(bootstrapped(), kerberos=settings, roles=frozenset({"user"}))
    session = world.open(_talking(world))
    assert _say(world, session).roles == {"user"}
    nobody = _talking(world, "mallory@TEST.LOCAL").ask(version=world.soap)
    assert world.refused(nobody.data).reason is Reason.USER_UNKNOWN
    del world.users.users["alice"]
    world.sleep(61)
    pending = session.request(echo_body(world.soap, "hello"), version=world.soap)
    assert world.refused(pending.data).reason is Reason.CONTEXT_OWNER


# what is not compiled -----------------------------------------------------------------------------------


def _sealing(*headers: tuple[str, str | None], signed: Parts) -> Policy:
    parts = Parts(headers=tuple(HeaderPart(*one) for one in headers))
    return policy("16", signed=signed, encrypted=parts)


def _endorsing(scenario: str = "1", **token: object) -> Policy:
    marks = {name: token.pop(name) for name in ("signed", "encrypted") if name in token}
    supporting = SupportingTokens((but(blocks.KERBEROS, **token),), endorsing=True, **marks)
    return policy(scenario, alternative={"supporting": (supporting,)})


NAMED, ANY = (
    Parts(body=True, headers=(HeaderPart("urn:h", "P"),)),
    Parts(body=True, headers=(HeaderPart("urn:h"),)),
)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (_sealing(("urn:h", "P"), signed=blocks.BODY), "SignedParts"),
        (_sealing(("urn:h", None), signed=NAMED), "SignedParts"),
        (_sealing(("urn:h", "Q"), signed=NAMED), "SignedParts"),
        (_sealing(("urn:h", "P"), signed=NAMED), None),
        (_sealing(("urn:h", "P"), signed=ANY), None),
        (_sealing(("urn:h", None), signed=ANY), None),
        (_sealing(("urn:h", None), signed=Parts(all_parts=True)), None),
        (_endorsing(encrypted=True), "encrypted endorsing KerberosToken"),
        (_endorsing(derived_keys=EXPLICIT), "derived from an endorsing token"),
        (_endorsing(derived_keys=IMPLIED), "derived from an endorsing token"),
        (_endorsing("16"), "beside one that protects"),
        (_endorsing("2"), None),
        (_endorsing("3", signed=True, inclusion=Inclusion.NEVER), "no request includes"),
        (_endorsing("3", signed=True, inclusion=Inclusion.ALWAYS_TO_INITIATOR), "no request includes"),
        (_endorsing("3", signed=True, inclusion=Inclusion.ONCE), None),
        (policy("1", alternative={"supporting": (SupportingTokens((blocks.KERBEROS,)),)}), "as supporting"),
        (policy("3", encryption_token=blocks.KERBEROS), "same token"),
        (policy("2", initiator_signature=blocks.KERBEROS), "as initiator_signature"),
        (policy("2", recipient_encryption=blocks.KERBEROS), "as recipient_encryption"),
        (policy("16", timestamp=False), "IncludeTimestamp"),
        (bootstrapped(), None),
        (bootstrapped("16"), "must encrypt the Body"),
    ],
)
def test_what_is_not_done_is_said_at_the_start(chosen, said):
    if said is None:
        World(chosen)
    else:
        with pytest.raises(ConfigurationError, match=said):
            World(chosen)


def test_tickets_need_somebody_who_opens_them():
    world = World("16")
    world.realm = None
    with pytest.raises(ConfigurationError, match="service's principal"):
        world.make_recipient(world.settings)
    world.initiator._tickets = None
    with pytest.raises(ConfigurationError, match="say where from"):
        world.request()


# one endpoint, several ways -------------------------------------------------------------------------------


def test_a_ticket_or_nobody():
    """Which alternative it is follows from what the message proves."""
    both = Policy("", (*find("16").policy().alternatives, *find("3").policy().alternatives))
    world = World(both)
    assert world.call().verified.principal.name == "alice@TEST.LOCAL"
    anonymous = world.make_initiator(policy=find("3").policy())
    pending = anonymous.request(echo_body(world.soap, "x"), version=world.soap)
    mixed = bend(pending.data, insert(SECURITY, token_of(world), 1))
    assert world.refused(mixed).reason is Reason.UNUSED_HEADER_CHILD
    assert world.accept(pending.data).principal.anonymous


def test_a_certificate_that_endorses_what_a_ticket_signs():
    """The certificate is who called; the ticket is held to its realm all the same, and comes once."""
    supporting = SupportingTokens((blocks.X509_IN_REQUEST,), endorsing=True)
    chosen = policy("16", alternative={"supporting": (supporting,)})
    world = World(chosen, kerberos=KerberosSettings(realms=ONE_REALM))
    fresh = shown(world)
    assert world.accept(under(world, fresh).data).principal.name == "client"
    assert world.refused(under(world, fresh).data).reason is Reason.REPLAY
    assert world.refused(under(world, shown(world, "alice@EVIL")).data).reason is Reason.TICKET_REALM


# what is written down ---------------------------------------------------------------------------------------


def test_no_secret_of_a_ticket_is_written_down():
    world = World(SEALED, kerberos=LATER)
    fresh = shown(world)
    pending = under(world, fresh)
    verified = world.accept(pending.data)
    case = verified.verdict.case
    ticket = case.main.key.root.ticket
    secret = TicketSecret(fresh.key, ticket.sha1, fresh.token)
    things = [pending, pending.ticket, verified, case.main.key, case.main.key.root, ticket, fresh, secret]
    things += [
        world.realm.known[fresh.token[1:]],
        *case.evidence.candidates.tickets.values(),
        world.established,
    ]
    said = " ".join(repr(but(one, data=b"") if one is pending else one) for one in things)
    for octets in (fresh.key, fresh.token[8:24]):
        for spelling in (repr(octets)[2:-1], octets.hex(), base64.b64encode(octets).decode()[:16]):
            assert spelling not in said
