"""Security contexts from their issue to their end, and what must not count: L01, L03 to L07, L12 to L14."""

import base64
import re
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from lxml import etree

from tests.simulator.bend import SECURITY, bend, insert, resign, secret_of, sign_also
from tests.simulator.errands import another_worker, ask, entropy, lifetime, rst, target, with_token
from tests.simulator.world import Party, World, echo_body, issued, party, policy
from wsprovider.conversation.contexts import KIND, RENEWABLE, Contexts
from wsprovider.conversation.sealing import unseal
from wsprovider.exchange.initiator import Pending
from wsprovider.exchange.session import Session
from wsprovider.exchange.settings import ConversationSettings
from wsprovider.exchange.transport import Transport
from wsprovider.exchange.ways import Stage
from wsprovider.header import username_token
from wsprovider.inbound import keys
from wsprovider.keyring.contexts import ContextKey, SecurityContext
from wsprovider.keyring.ring import SealKey, SealKeys
from wsprovider.outbound.message import Credentials
from wsprovider.policy.model import ClientAuthentication, HttpsToken, Policy
from wsprovider.ports import Record, Totals
from wsprovider.soap.version import SOAP_11, SOAP_12
from wsprovider.words.errors import SoapError, SoapFault, WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.words.trust import WST_200502, WST_200512, TrustVersion

R = Reason
SCENARIOS = ["9", "10", "11", "12", "13", "13e", "14", "15"]
CERTIFIED, ANONYMOUS, NAMED = ["9", "10", "11"], ["12", "13", "13e"], ["14", "15"]
VERSIONS = [WST_200502, WST_200512]
versions = pytest.mark.parametrize("trust", VERSIONS, ids=["2005", "1.3"])
soaps = pytest.mark.parametrize("soap", [SOAP_11, SOAP_12], ids=["SOAP 1.1", "SOAP 1.2"])
scenarios = pytest.mark.parametrize("scenario", SCENARIOS)
BOB = Credentials("bob", "geheim")


def stranger(world: World) -> Party:
    """Somebody else whom the service trusts."""
    return party(issued("client-2"), ("service", world.service.certificate))


def somebody_else(world: World) -> Session:
    """A conversation of another certificate and another user."""
    return world.open(world.make_session(stranger(world), credentials=BOB))


def held(session: Session) -> ContextKey:
    assert session.context is not None
    return session.context


def call(world: World, session: Session | None = None, text: str = "hello") -> Pending:
    return (session or world.session).request(echo_body(world.soap, text), version=world.soap)


def cancel(world: World) -> None:
    world.ask(world.session, world.session.ask_end(version=world.soap))


def renew(world: World) -> None:
    world.ask(world.session, world.session.ask_renewal(version=world.soap))


def bad_context(world: World, trust: TrustVersion) -> bytes:
    """The one fault for a context that is not there."""
    error = SoapError(SoapFault.BAD_CONTEXT_TOKEN, R.CONTEXT_UNKNOWN, namespace=trust.conversation)
    data = world.recipient.refuse(error, version=world.soap).data
    assert f'"{trust.conversation}"'.encode() in data
    assert b":BadContextToken<" in data
    return data


def gone(
    world: World, message: bytes, reason: Reason = R.CONTEXT_UNKNOWN, trust: TrustVersion = WST_200512
) -> None:
    """Refused by that fault, byte for byte."""
    error = world.refused(message)
    assert error.reason is reason, f"{error!r}"
    assert world.recipient.refuse(error, version=world.soap).data == bad_context(world, trust)


def refused_answer(world: World, message: bytes, **arguments: object) -> SoapError:
    """The refusal of a request that met its policy and could not be carried out."""
    with pytest.raises(SoapError) as refused:
        world.answer(message, **arguments)
    return refused.value


def only(world: World) -> SecurityContext:
    """The context that the service knows."""
    (found,) = everything(world)
    return found


def everything(world: World) -> list[SecurityContext]:
    return [unseal(record, world.seals, world.now) for record in world.store.records(KIND, now=world.now)]


def totals(world: World) -> Totals:
    return world.store.totals(KIND, now=world.now)


# L01: names ------------------------------------------------------------------------------------


def test_identifiers_are_random_and_never_the_same():
    world = World("12")
    names = [held(world.open(world.make_session())).identifier for _ in range(30)]
    assert len(set(names)) == 30
    assert all(re.fullmatch(r"urn:wsprovider:context:[0-9a-f]{32}", name) for name in names)
    renew(world) if world.session.context else world.open()
    first = held(world.session).instance
    renew(world)
    second = held(world.session).instance
    assert first is None
    assert re.fullmatch(r"urn:wsprovider:instance:[0-9a-f]{32}", second or "")


@versions
@soaps
def test_all_that_is_gone_is_answered_alike(trust, soap):
    """Byte for byte, whatever became of the context, and by the words of the version that was spoken."""
    world = World("15", soap=soap, trust=trust)
    world.call()
    context = held(world.session)
    messages = [call(world).data for _ in range(3)]
    unknown = messages[0].replace(context.identifier.encode(), b"urn:wsprovider:context:" + 32 * b"0")
    gone(world, unknown, trust=trust)
    # another endpoint of the same service
    elsewhere = world.make_recipient(replace(world.settings, path="/other"))
    with pytest.raises(SoapError) as refused:
        elsewhere.accept(messages[0], version=soap, transport=world.transport)
    assert refused.value.reason is R.CONTEXT_ENDPOINT
    assert elsewhere.refuse(refused.value, version=soap).data == bad_context(world, trust)
    # sealed under a key that has gone
    seals = world.seals
    world.seals = SealKeys((SealKey("seal-2", bytes(32)),))
    gone(world, messages[0], R.CONTEXT_SEAL, trust)
    world.seals = seals
    # renewed, expired, cancelled
    world.accept(messages[0])
    renew(world)
    gone(world, messages[1], R.CONTEXT_INSTANCE, trust)
    late = world.settings.conversation.life
    world.now += late
    gone(world, call(world).data, trust=trust)
    world.now -= late
    last = call(world).data
    cancel(world)
    gone(world, last, trust=trust)
    gone(world, messages[2], trust=trust)


@versions
@pytest.mark.parametrize("scenario", ["11", "15"])
@pytest.mark.parametrize("kind", ["Renew", "Cancel"])
def test_targets_that_are_not_the_senders_are_answered_alike(scenario, kind, trust):
    """Who asks for another one's context learns as little as who asks for one that never was."""
    world = World(scenario, trust=trust)
    world.call()
    theirs = held(somebody_else(world))
    never = replace(held(world.session), identifier=f"urn:wsprovider:context:{32 * '0'}")
    for context, reason in ((never, R.CONTEXT_UNKNOWN), (theirs, R.CONTEXT_IDENTITY)):
        asked = ask(world, Stage.BOOTSTRAP, rst(kind, target(kind, context), version=trust))
        gone(world, asked.data, reason, trust)
    asked = ask(
        world,
        Stage.BOOTSTRAP,
        rst(kind, target(kind, held(world.session), instance="urn:never"), version=trust),
    )
    gone(world, asked.data, R.CONTEXT_INSTANCE, trust)
    own = ask(world, Stage.BOOTSTRAP, rst(kind, target(kind, held(world.session)), version=trust))
    world.answer(own.data)


@pytest.mark.parametrize("scenario", ["11", "15"])
@pytest.mark.parametrize("kind", ["Renew", "Cancel"])
def test_another_ones_context_of_the_other_version_is_answered_alike(scenario, kind):
    """The fault speaks the request's version, and not that of a context which its sender may not know."""
    world = World(scenario)
    theirs = world.open(world.make_session(stranger(world), credentials=BOB, trust=WST_200502))
    asked = ask(world, Stage.BOOTSTRAP, rst(kind, target(kind, held(theirs))))
    gone(world, asked.data, R.CONTEXT_IDENTITY)


@versions
@pytest.mark.parametrize("kind", ["Renew", "Cancel"])
def test_a_target_that_does_not_open_is_answered_alike(trust, kind):
    world = World("15", trust=trust)
    world.call()
    asked = ask(world, Stage.BOOTSTRAP, rst(kind, target(kind, held(world.session)), version=trust))
    seals = world.seals
    world.seals = SealKeys((SealKey("seal-2", bytes(32)),))
    gone(world, asked.data, R.CONTEXT_SEAL, trust)
    world.seals = seals
    world.answer(asked.data)


# L03: no longer ---------------------------------------------------------------------------------


@scenarios
@versions
def test_cancelled(scenario, trust):
    world = World(scenario, trust=trust)
    world.call()
    late, copy = call(world), call(world)
    other = another_worker(world)
    other.accept(copy.data, version=world.soap, transport=world.transport)
    cancel(world)
    gone(world, late.data, trust=trust)
    with pytest.raises(SoapError) as refused:
        other.accept(late.data, version=world.soap, transport=world.transport)
    assert refused.value.reason is R.CONTEXT_UNKNOWN
    world.call("anew")


@scenarios
def test_expired(scenario):
    world = World(scenario)
    world.call()
    life = world.settings.conversation.life
    opened = world.now
    world.now = opened + life - timedelta(milliseconds=1)
    world.accept(call(world).data)
    late = call(world)
    world.now = opened + life
    gone(world, late.data)
    gone(world, call(world).data)
    content = rst("Renew", entropy(bytes(32)) + target("Renew", held(world.session)))
    stage = Stage.ENDORSED if scenario in ANONYMOUS else Stage.BOOTSTRAP
    world.now = opened + life + RENEWABLE - timedelta(milliseconds=1)
    kept = World(scenario)
    kept.call()
    kept.now = opened + life + RENEWABLE
    too_late = rst("Renew", entropy(bytes(32)) + target("Renew", held(kept.session)))
    gone(kept, ask(kept, stage, too_late, context=held(kept.session)).data)
    world.answer(ask(world, stage, content, context=held(world.session)).data)


@pytest.mark.parametrize("scenario", ["11", "14"])
def test_never_used(scenario):
    world = World(scenario)
    world.open()
    unused = world.settings.conversation.unused
    opened = world.now
    world.now = opened + unused
    gone(world, call(world).data)
    assert totals(world).live == 0
    world.open()
    world.now += unused - timedelta(milliseconds=1)
    world.accept(call(world).data)
    world.now += timedelta(milliseconds=1)
    world.accept(call(world).data)


@pytest.mark.parametrize("kind", ["Cancel", "Renew"])
def test_asking_for_its_end_or_renewal_is_no_use_of_a_context(kind):
    """A refused renewal does not lengthen the life of a context that nobody used."""
    world = World("15")
    world.open()
    asked = ask(world, Stage.BOOTSTRAP, rst(kind, "<wst:OnBehalfOf/>" + target(kind, held(world.session))))
    assert world.refused(asked.data).reason is R.TRUST_UNSUPPORTED
    world.now += world.settings.conversation.unused
    gone(world, call(world).data)


@scenarios
@versions
def test_renewed(scenario, trust):
    """The old key, and the old name of the key, are nothing."""
    world = World(scenario, trust=trust)
    world.call()
    for _ in range(2):
        old = held(world.session)
        before = call(world)
        renew(world)
        new = held(world.session)
        assert new.identifier == old.identifier
        assert new.instance not in (None, old.instance)
        assert new.secret != old.secret
        gone(world, before.data, R.CONTEXT_INSTANCE, trust)
        world.call()


@pytest.mark.parametrize("scenario", ["12", "15"])
def test_the_old_key_under_the_new_name(scenario):
    world = World(scenario)
    world.call()
    old = held(world.session)
    renew(world)
    new = held(world.session)
    forged = ContextKey(new.identifier, new.instance, new.namespace, old.secret)
    world.session.context = forged
    assert world.refused(call(world).data).reason is R.SIGNATURE_VALUE
    world.session.context = ContextKey(new.identifier, old.instance, new.namespace, new.secret)
    gone(world, call(world).data, R.CONTEXT_INSTANCE)
    world.session.context = new
    world.accept(call(world).data)


@versions
def test_a_reference_with_the_old_instance(trust):
    world = World("12", trust=trust)
    world.call()
    first = held(world.session).instance
    renew(world)
    second = held(world.session).instance
    renew(world)
    current = held(world.session).instance
    message = call(world).data
    assert first is None

    def naming(instance: str | None) -> bytes:
        """No token in the message: an unattached reference."""

        def change(root: etree._Element) -> None:
            security = root[0][-1]
            for child in list(security):
                if etree.QName(child).localname == "SecurityContextToken":
                    security.remove(child)
            for found in root.iter("{*}Reference"):
                if found.get("ValueType") == trust.token_type:
                    found.set("URI", held(world.session).identifier)
                    if instance is not None:
                        found.set(f"{{{trust.conversation}}}Instance", instance)

        return bend(message, change)

    for old in (second, "urn:never"):
        gone(world, naming(old), R.CONTEXT_INSTANCE, trust)
    world.accept(naming(current))
    world.accept(bend(call(world).data))


def test_the_race_of_cancellations_has_one_winner():
    world = World("15")
    world.call()
    asked = [world.session.ask_end(version=world.soap).data for _ in range(8)]
    answers: list[bytes | Exception] = []

    def carry_out(message: bytes) -> None:
        try:
            answers.append(world.answer(message))
        except SoapError as error:
            answers.append(error)

    threads = [threading.Thread(target=carry_out, args=(message,)) for message in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    errors = [answer for answer in answers if isinstance(answer, Exception)]
    assert len(answers) - len(errors) == 1
    assert {(type(error), error.reason) for error in errors} == {(SoapError, R.CONTEXT_UNKNOWN)}
    assert totals(world).live == 0


def test_cancelled_between_its_acceptance_and_its_answer():
    """Two cancellations were accepted, and a call under way: one is answered, and nothing comes back to life."""
    world = World("15")
    world.open()
    first = world.accept(world.session.ask_end(version=world.soap).data)
    second = world.accept(world.session.ask_end(version=world.soap).data)
    renewal = world.accept(world.session.ask_renewal(version=world.soap).data)
    slow = only(world)
    world.recipient.answer(first)
    with pytest.raises(SoapError) as refused:
        world.recipient.answer(second)
    assert (refused.value.fault, refused.value.reason) == (SoapFault.BAD_CONTEXT_TOKEN, R.CONTEXT_UNKNOWN)
    with pytest.raises(SoapError) as refused:
        world.recipient.answer(renewal)
    assert (refused.value.fault, refused.value.reason) == (SoapFault.UNABLE_TO_RENEW, R.CONTEXT_UNKNOWN)
    with pytest.raises(SoapError) as refused:
        world.contexts.use(slow, world.now)
    assert refused.value.reason is R.CONTEXT_UNKNOWN
    assert totals(world).live == 0


def test_the_race_of_renewals_has_one_winner():
    world = World("15")
    world.call()
    first, second = (world.accept(world.session.ask_renewal(version=world.soap).data) for _ in range(2))
    world.recipient.answer(second)
    instance = only(world).instance
    with pytest.raises(SoapError) as refused:
        world.recipient.answer(first)
    assert (refused.value.fault, refused.value.reason) == (SoapFault.UNABLE_TO_RENEW, R.CONTEXT_UNKNOWN)
    assert only(world).instance == instance


@pytest.mark.parametrize("scenario", ["11", "15"])
def test_whose_owner_has_gone(scenario):
    """A user who was removed, a certificate that trust gave up: at once, for as long as it is so."""
    world = World(scenario)
    world.call()
    message = call(world).data
    users, service = dict(world.users.users), world.service
    world.sleep(world.settings.conversation.recheck.total_seconds())
    world.users.users = {"bob": "geheim"}
    world.service = party(issued("service"), ("client-2", issued("client-2").certificate))
    gone(world, message, R.CONTEXT_OWNER)
    gone(world, call(world).data, R.CONTEXT_OWNER)
    world.users.users, world.service = users, service
    world.accept(message)


def test_under_another_policy_of_the_same_endpoint():
    """An operator who tightens a policy ends what was agreed under the old one."""
    world = World("15")
    world.call()
    message = call(world).data
    tightened = World(with_token("15", must_not_send_renew=True))
    tightened.store = world.store
    tightened.contexts = tightened.make_contexts()
    tightened.recipient = tightened.make_recipient(tightened.settings)
    gone(tightened, message, R.CONTEXT_ENDPOINT)
    gone(
        tightened,
        ask(tightened, Stage.BOOTSTRAP, rst("Cancel", target("Cancel", held(world.session)))).data,
    )
    world.accept(message)


# L04: not the owner's ---------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", [*CERTIFIED, *NAMED])
@pytest.mark.parametrize("kind", ["Renew", "Cancel"])
@versions
def test_somebody_else_asks_for_it(scenario, kind, trust):
    """By their own certificate or password, endorsed by their own context, or by none."""
    world = World(scenario, trust=trust)
    world.call()
    mine = held(world.session)
    other = world.open(world.make_session(stranger(world), credentials=BOB, trust=trust))
    content = rst(kind, target(kind, mine), version=trust)
    asked = ask(world, Stage.BOOTSTRAP, content, caller=stranger(world), credentials=BOB)
    gone(world, asked.data, R.CONTEXT_IDENTITY, trust)
    endorsed = ask(
        world, Stage.ENDORSED, content, context=held(other), caller=stranger(world), credentials=BOB
    )
    assert world.refused(endorsed.data).reason is R.TRUST_TARGET
    managed = ask(world, Stage.MANAGEMENT, content, context=held(other))
    assert world.refused(managed.data).reason is (R.TRUST_TARGET if kind == "Cancel" else R.WRONG_POLICY)
    world.accept(call(world).data)
    world.answer(ask(world, Stage.BOOTSTRAP, content).data)


@pytest.mark.parametrize("scenario", [*CERTIFIED, *NAMED])
def test_the_thief_of_a_key_cannot_renew(scenario):
    """The context's own signature, and the thief's own certificate and password."""
    world = World(scenario)
    world.call()
    mine = held(world.session)
    content = rst("Renew", entropy(bytes(32)) + target("Renew", mine))
    endorsed = ask(world, Stage.ENDORSED, content, context=mine, caller=stranger(world), credentials=BOB)
    gone(world, endorsed.data, R.CONTEXT_IDENTITY)
    world.answer(ask(world, Stage.ENDORSED, content, context=mine).data)


@pytest.mark.parametrize("scenario", ANONYMOUS)
@pytest.mark.parametrize("kind", ["Renew", "Cancel"])
def test_nobody_in_particular_proves_nothing(scenario, kind):
    """Under the bootstrap policy alone, an anonymous caller owns no context; by its signature they do."""
    world = World(scenario)
    world.call()
    content = rst(kind, target(kind, held(world.session)))
    gone(world, ask(world, Stage.BOOTSTRAP, content).data, R.CONTEXT_IDENTITY)
    other = world.open(world.make_session())
    by_another = ask(world, Stage.ENDORSED, content, context=held(other))
    assert world.refused(by_another.data).reason is R.TRUST_TARGET
    world.answer(ask(world, Stage.ENDORSED, content, context=held(world.session)).data)


@scenarios
@pytest.mark.parametrize("kind", ["Renew", "Cancel"])
def test_asked_without_any_signature(scenario, kind):
    world = World(scenario)
    world.call()
    content = rst(kind, target(kind, held(world.session)))
    body = f'<s:Envelope xmlns:s="{world.soap.namespace}"><s:Body>{content}</s:Body></s:Envelope>'
    assert world.refused(body.encode()).reason is R.NO_SECURITY_HEADER


def test_a_user_is_no_partner_of_the_same_name():
    """A context opened by a password is not that of a certificate whose holder has the same name."""
    by_password = policy("15")
    bootstrap = Policy("", (*policy("5").alternatives, *policy("8").alternatives))
    world = World(with_token("15", bootstrap=bootstrap))
    world.users.users["client"] = "secret"
    client = Credentials("client", "secret")
    session = world.open(world.make_session(policy=by_password, credentials=client))
    assert (only(world).owner.name, only(world).owner.proof) == ("client", "password")
    content = rst("Cancel", target("Cancel", held(session)))
    gone(world, ask(world, Stage.BOOTSTRAP, content).data, R.CONTEXT_IDENTITY)
    world.answer(ask(world, Stage.BOOTSTRAP, content, credentials=client, by=by_password).data)


# L05: fixation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", ["11", "14"])
@versions
def test_the_key_is_never_the_clients_choice(scenario, trust):
    """The same entropy twice, all zeros, and none at all: another key each time, of the suite's length."""
    world = World(scenario, trust=trust)
    secrets = set()
    for inner in (entropy(bytes(32), version=trust), entropy(bytes(32), version=trust), ""):
        for bits in ("", "128", "512", "4096", "65"):
            size = f"<wst:KeySize>{bits}</wst:KeySize>" if bits else ""
            world.answer(ask(world, Stage.BOOTSTRAP, rst("Issue", inner + size, version=trust)).data)
    for context in everything(world):
        assert len(context.secret) == 32
        secrets.add(context.secret)
    assert len(secrets) == 15


def test_a_client_refuses_a_key_it_could_not_use():
    world = World("15")
    asking = world.session.ask(version=world.soap)
    verified = world.accept(asking.data)
    answered = world.recipient.answer(verified)
    assert answered is not None
    wire = answered.wire
    other = World("15").session.ask(version=world.soap)
    with pytest.raises(WSSecurityError) as refused:
        world.session.take(other, wire.data, secure=False)
    assert refused.value.reason is R.UNRESOLVED_REFERENCE
    world.session.take(asking, wire.data, secure=False)


# L06: floods -------------------------------------------------------------------------------------


def limited(scenario: str, trust: TrustVersion = WST_200512, **settings: object) -> World:
    return World(scenario, trust=trust, conversation=ConversationSettings(**settings))


def full(error: SoapError) -> bool:
    return (error.fault, error.reason) == (SoapFault.REQUEST_FAILED, R.CONTEXT_LIMIT)


@pytest.mark.parametrize("scenario", ["11", "15"])
def test_an_owner_has_only_so_many(scenario):
    world = limited(scenario, per_owner=2)
    for _ in range(2):
        world.open(world.make_session())
    before = totals(world)
    assert full(refused_answer(world, world.session.ask(version=world.soap).data))
    assert totals(world).live == before.live
    somebody_else(world)
    world.sleep(world.settings.conversation.unused.total_seconds())
    world.open()


@versions
@pytest.mark.parametrize("scenario", ["12", "15"])
def test_a_limit_speaks_the_version_of_the_request(scenario, trust):
    world = limited(scenario, trust=trust, per_owner=1)
    world.open()
    error = refused_answer(world, world.make_session(trust=trust).ask(version=world.soap).data)
    assert full(error)
    data = world.recipient.refuse(error, version=world.soap).data
    assert f'"{trust.namespace}"'.encode() in data
    assert b":RequestFailed<" in data


def test_used_ones_and_renewed_ones_count():
    world = limited("15", per_owner=1)
    world.call()
    world.sleep(world.settings.conversation.unused.total_seconds())
    assert full(refused_answer(world, world.make_session().ask(version=world.soap).data))
    renew(world)
    assert full(refused_answer(world, world.make_session().ask(version=world.soap).data))
    cancel(world)
    world.open()


def test_an_address_has_only_so_many_where_callers_are_anonymous():
    world = limited("12", per_owner=2)
    here, there = (Transport(secure=False, peer=peer) for peer in ("192.0.2.1", "192.0.2.2"))
    for _ in range(2):
        world.answer(world.make_session().ask(version=world.soap).data, transport=here)
    asked = world.make_session().ask(version=world.soap).data
    assert full(refused_answer(world, asked, transport=here))
    world.answer(world.make_session().ask(version=world.soap).data, transport=there)
    world.sleep(world.settings.conversation.unused.total_seconds())
    world.answer(world.make_session().ask(version=world.soap).data, transport=here)


def test_a_crowded_address_costs_no_private_key(monkeypatch):
    """Anonymous callers who had all they may are refused before anything of theirs is unwrapped."""
    world = limited("12", per_owner=1)
    here, there = (Transport(secure=False, peer=peer) for peer in ("192.0.2.1", "192.0.2.2"))
    opened = world.session.ask(version=world.soap)
    world.session.take(opened, world.answer(opened.data, transport=here), secure=False)
    assert full(refused_answer(world, world.make_session().ask(version=world.soap).data, transport=here))
    calls = []
    genuine = keys.unwrap_key
    monkeypatch.setattr(keys, "unwrap_key", lambda *given: (calls.append(1), genuine(*given))[1])
    asked = [world.make_session().ask(version=world.soap).data for _ in range(3)]
    error = world.refused(asked[0], transport=here)
    assert isinstance(error, SoapError)
    assert full(error)
    assert calls == []
    world.accept(call(world).data, transport=here)
    world.accept(asked[1], transport=there)
    assert calls == [1]
    world.sleep(60)
    world.accept(asked[2], transport=here)


def test_an_owner_with_a_name_is_counted_by_it_from_any_address():
    world = limited("15", per_owner=1)
    world.answer(world.session.ask(version=world.soap).data, transport=Transport(False, "192.0.2.1"))
    asked = world.session.ask(version=world.soap).data
    assert full(refused_answer(world, asked, transport=Transport(False, "192.0.2.2")))


@pytest.mark.parametrize(("scenario", "contexts"), [("12", 4), ("15", 3)])
def test_all_together_have_only_so_many(scenario, contexts):
    """Of four there may be, nobody in particular has three."""
    world = limited(scenario, contexts=contexts)
    for number, session in enumerate(
        [world.make_session(), world.make_session(credentials=BOB), world.session]
    ):
        transport = Transport(False, f"192.0.2.{number}")
        session.take(
            asking := session.ask(version=world.soap),
            world.answer(asking.data, transport=transport),
            secure=False,
        )
    asked = world.make_session(credentials=BOB).ask(version=world.soap).data
    assert full(refused_answer(world, asked, transport=Transport(False, "192.0.2.9")))
    world.call()
    cancel(world)
    world.open(world.make_session(credentials=BOB))


def test_two_services_of_one_store_do_not_share_an_owners_contexts():
    world = limited("15", per_owner=1)
    world.open()
    other = world.make_recipient(replace(world.settings, path="/other"))
    asked = world.make_session(address=None).ask(version=world.soap).data
    verified = other.accept(asked, version=world.soap, transport=world.transport)
    assert other.answer(verified) is not None


# L07: another identity in the session ------------------------------------------------------------


@pytest.mark.parametrize("scenario", ["11", "15", "12"])
@pytest.mark.parametrize("name", ["alice", "bob"])
def test_a_username_token_in_the_conversation(scenario, name):
    world = World(scenario)
    world.call()
    pending = call(world)
    token = username_token.write_text("UT-x", name, {"alice": "secret", "bob": "geheim"}[name])
    forged = bend(
        pending.data, insert(SECURITY, token, 0), sign_also("UT-x"), resign(secret=secret_of(pending))
    )
    assert world.refused(forged).reason is R.TOKEN_UNEXPECTED
    assert world.accept(pending.data).principal.name == {"11": "client", "15": "alice", "12": ""}[scenario]


def over_tls(certificate: bool = True) -> World:
    """A conversation that a password over TLS opens, with a client certificate."""
    wanted = ClientAuthentication.CERTIFICATE if certificate else ClientAuthentication.NONE
    return World(with_token("15", bootstrap=policy("1", token=HttpsToken(wanted))))


def by(name: str | None) -> Transport:
    return Transport(True, "192.0.2.1", issued(name).certificate if name is not None else None)


def test_another_client_certificate_of_tls():
    world = over_tls()
    asking = world.session.ask(version=world.soap)
    error = world.refused(asking.data, transport=by(None))
    assert error.reason is R.CLIENT_CERTIFICATE_MISSING
    world.session.take(asking, world.answer(asking.data, transport=by("client")), secure=True)
    pending = call(world)
    for name in ("client-2", None):
        assert world.refused(pending.data, transport=by(name)).reason is R.CONTEXT_IDENTITY
    world.accept(pending.data, transport=by("client"))


@pytest.mark.parametrize("kind", ["Renew", "Cancel"])
def test_asked_over_another_client_certificate_of_tls(kind):
    world = over_tls()
    asking = world.session.ask(version=world.soap)
    world.session.take(asking, world.answer(asking.data, transport=by("client")), secure=True)
    content = rst(kind, target(kind, held(world.session)))
    for stage in (Stage.BOOTSTRAP, Stage.ENDORSED):
        asked = ask(world, stage, content, context=held(world.session))
        error = world.refused(asked.data, transport=by("client-2"))
        assert error.reason is R.CONTEXT_IDENTITY, stage
    world.answer(ask(world, Stage.BOOTSTRAP, content).data, transport=by("client"))


def test_anonymous_over_another_client_certificate_of_tls():
    """Nobody by the message, but somebody by TLS: the context stays with that certificate."""
    bare = policy("1", token=HttpsToken(ClientAuthentication.CERTIFICATE), alternative={"supporting": ()})
    world = World(with_token("12", bootstrap=bare))
    asking = world.session.ask(version=world.soap)
    world.session.take(asking, world.answer(asking.data, transport=by("client")), secure=True)
    pending = call(world)
    assert world.refused(pending.data, transport=by("client-2")).reason is R.CONTEXT_IDENTITY
    content = rst("Renew", entropy(bytes(32)) + target("Renew", held(world.session)))
    asked = ask(world, Stage.ENDORSED, content, context=held(world.session))
    assert world.refused(asked.data, transport=by("client-2")).reason is R.CONTEXT_IDENTITY
    world.answer(asked.data, transport=by("client"))


# L12: what is granted ----------------------------------------------------------------------------


@versions
@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        (timedelta(days=36_500), timedelta(hours=1)),
        (timedelta(hours=1), timedelta(hours=1)),
        (timedelta(minutes=10), timedelta(minutes=10)),
        (timedelta(milliseconds=1), timedelta(milliseconds=1)),
    ],
)
def test_a_lifetime_is_clamped(asked, granted, trust):
    world = World("15", trust=trust)
    world.answer(ask(world, Stage.BOOTSTRAP, rst("Issue", lifetime(world, asked), version=trust)).data)
    assert only(world).expires == world.now + granted


def test_a_renewal_is_clamped_as_well():
    world = World("15")
    world.call()
    world.sleep(1800)
    content = rst("Renew", lifetime(world, timedelta(days=1)) + target("Renew", held(world.session)))
    world.answer(ask(world, Stage.BOOTSTRAP, content).data)
    assert only(world).expires == world.now + timedelta(hours=1)


@versions
def test_a_request_that_is_refused_says_so_by_its_version(trust):
    world = World("15", trust=trust)
    asked = ask(world, Stage.BOOTSTRAP, rst("Issue", "<wst:OnBehalfOf/>", version=trust))
    error = world.refused(asked.data)
    data = world.recipient.refuse(error, version=world.soap).data
    assert f'"{trust.namespace}"'.encode() in data
    assert b":InvalidRequest<" in data


def test_what_a_client_may_say_besides():
    """The twin of the refusals: everything that nothing depends on, in one request."""
    for trust in VERSIONS:
        world = World("15", trust=trust)
        wishes = "".join(
            f"<wst:{name}>urn:x</wst:{name}>" for name in ("EncryptWith", "SignWith", "SignatureAlgorithm")
        )
        inner = (
            "<wsp:AppliesTo><wsa:EndpointReference><wsa:Address>http://any/echo</wsa:Address>"
            "</wsa:EndpointReference></wsp:AppliesTo>"
            f"<wst:TokenType> {trust.token_type} </wst:TokenType>"
            f"<wst:KeyType>{trust.uri('SymmetricKey')}</wst:KeyType><wst:KeySize>256</wst:KeySize>"
            f"<wst:ComputedKeyAlgorithm>{trust.uri('CK/PSHA1')}</wst:ComputedKeyAlgorithm><wst:Renewing/>"
            f"{wishes}{lifetime(world, timedelta(hours=2))}{entropy(bytes(256), version=trust)}"
        )
        content = rst("Issue", inner, version=trust, attributes=' Context="urn:mine"')
        world.answer(ask(world, Stage.BOOTSTRAP, content).data)
        assert only(world).namespace == trust.conversation


# L13: replay ------------------------------------------------------------------------------------


@scenarios
def test_the_same_message_twice(scenario):
    world = World(scenario)
    first = world.call("first")
    assert world.refused(first.request).reason is R.REPLAY
    with pytest.raises(WSSecurityError) as refused:
        another_worker(world).accept(first.request, version=world.soap, transport=world.transport)
    assert refused.value.reason is R.REPLAY
    world.call("second")


@pytest.mark.parametrize("stage", ["issue", "renew", "cancel"])
def test_the_same_request_for_a_token_twice(stage):
    world = World("15")
    world.call()
    make = {"issue": world.session.ask, "renew": world.session.ask_renewal, "cancel": world.session.ask_end}
    asking = make[stage](version=world.soap)
    world.answer(asking.data)
    before = totals(world)
    reason = {"issue": R.REPLAY, "renew": R.REPLAY, "cancel": R.REPLAY}[stage]
    assert world.refused(asking.data).reason is reason
    with pytest.raises(WSSecurityError):
        another_worker(world).accept(asking.data, version=world.soap, transport=world.transport)
    assert totals(world) == before


def test_one_of_many_copies_at_once_is_accepted():
    world = World("14")
    world.call()
    message = call(world).data
    workers = [another_worker(world) for _ in range(4)]
    outcomes: list[Reason | None] = []

    def accept(number: int) -> None:
        try:
            workers[number % 4].accept(message, version=world.soap, transport=world.transport)
            outcomes.append(None)
        except WSSecurityError as error:
            outcomes.append(error.reason)

    threads = [threading.Thread(target=accept, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(None) == 1
    assert set(outcomes) == {None, R.REPLAY}


# L14: what the store holds -----------------------------------------------------------------------


@scenarios
def test_a_context_is_every_workers(scenario):
    world = World(scenario)
    world.open()
    other = another_worker(world)
    pending = call(world)
    verified = other.accept(pending.data, version=world.soap, transport=world.transport)
    reply = other.reply(verified, echo_body(world.soap, "there")).data
    world.session.accept(pending, reply, secure=world.transport.secure)
    world.accept(call(world).data)


def stored(world: World) -> Record:
    (record,) = world.store.records(KIND, now=world.now)
    return record


def put(world: World, value: bytes, key: str | None = None) -> None:
    """Somebody writes into the store."""
    record = stored(world)
    if key is None:
        assert world.store.replace(
            KIND,
            record.key,
            value,
            version=record.version,
            expires=world.now + timedelta(hours=1),
            now=world.now,
        )
        return
    world.store.keep(
        KIND,
        key,
        value,
        owner="x",
        expires=world.now + timedelta(hours=1),
        now=world.now,
        owner_limit=9,
        limit=9,
    )


def test_every_byte_of_a_record_counts():
    world = World("15")
    world.call()
    record = stored(world)
    message = call(world).data
    for place in range(len(record.value)):
        changed = bytearray(record.value)
        changed[place] ^= 1
        put(world, bytes(changed))
        if place % 40 == 0 or place < 20:
            gone(world, message, R.CONTEXT_SEAL)
        else:
            with pytest.raises(SoapError) as refused:
                world.contexts.find(record.key, world.now)
            assert refused.value.reason is R.CONTEXT_SEAL
    put(world, record.value)
    world.accept(message)


@pytest.mark.parametrize("length", [0, 1, 2, 5, 18, 30, -1])
def test_a_record_cut_short(length):
    world = World("15")
    world.call()
    put(world, stored(world).value[:length])
    gone(world, call(world).data, R.CONTEXT_SEAL)


def test_a_record_moved_under_another_name():
    world = World("15")
    world.call()
    pending = call(world)
    name = "urn:wsprovider:context:moved"
    put(world, stored(world).value, name)
    moved = pending.data.replace(held(world.session).identifier.encode(), name.encode())
    gone(world, moved, R.CONTEXT_SEAL)
    world.accept(pending.data)


def test_a_record_sealed_by_a_key_that_is_gone():
    world = World("15")
    world.call()
    message = call(world).data
    old = world.seals.keys[0]
    new = SealKey("seal-2", bytes(32))
    world.seals = SealKeys((new,))
    gone(world, message, R.CONTEXT_SEAL)
    world.seals = SealKeys((replace(old, secret=bytes(32)), new))
    fresh = world.make_contexts()
    with pytest.raises(SoapError) as refused:
        fresh.find(held(world.session).identifier, world.now)
    assert refused.value.reason is R.CONTEXT_SEAL
    world.seals = SealKeys((new, old))
    world.accept(message)


@scenarios
def test_a_stolen_store_tells_nothing(scenario):
    """Neither keys nor names stand in it, in any spelling that a thief could look for."""
    world = World(scenario)
    world.call()
    renew(world)
    world.call()
    record = stored(world)
    context = only(world)
    whole = record.value + repr(record).encode() + repr(vars(world.store)).encode()
    encoded = base64.b64encode(context.secret)
    assert encoded not in whole
    for secret in (context.secret, context.secret[:8], context.secret[-8:]):
        assert secret not in whole
        assert secret.hex().encode() not in whole
    for name in filter(
        None, (context.owner.name, "alice", "CN=client", "secret", "user", "password", "/echo")
    ):
        assert name.encode() not in record.value
    assert "secret" not in repr(context)
    assert context.secret.hex() not in repr(context)


def test_the_same_context_is_never_sealed_alike():
    world = World("15")
    world.call()
    first = stored(world).value
    renew(world)
    second = stored(world).value
    assert first[6:18] != second[6:18]


def test_a_restart_loses_nothing_that_the_store_kept():
    world = World("15")
    world.call()
    world.contexts = Contexts(
        world.store,
        lambda: world.seals,
        bytes,
        unused=timedelta(minutes=5),
        per_owner=1,
        contexts=1,
    )
    world.recipient = world.make_recipient(world.settings)
    world.call()
