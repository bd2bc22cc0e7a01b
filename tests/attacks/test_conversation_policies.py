"""The policies of a conversation kept apart, and its messages kept whole: L02, L11, L13, D09, E16, F14."""

import base64
import copy

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from lxml import etree

from tests.simulator.bend import (
    BODY,
    SECURITY,
    SIGNATURE,
    WSU_ID,
    bend,
    duplicate,
    every,
    flip,
    one,
    reencrypt,
    remove,
    resign,
    secret_of,
    sign_also,
    text,
    tree,
)
from tests.simulator.errands import another_worker, ask, deriving, entropy, rst, target, with_token
from tests.simulator.world import ADDRESS, ECHO, World, echo_body, reply_body
from wsprovider.conversation.contexts import BODY as MARKS
from wsprovider.conversation.contexts import KIND
from wsprovider.exchange.initiator import Pending, addressing
from wsprovider.exchange.session import Session
from wsprovider.exchange.settings import ConversationSettings
from wsprovider.exchange.ways import Stage
from wsprovider.inbound import decrypting
from wsprovider.keyring.contexts import ContextKey
from wsprovider.policy.model import DerivedKeys
from wsprovider.soap.version import SOAP_11, SOAP_12
from wsprovider.words.errors import SoapFault, WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.words.trust import WST_200502, WST_200512

R = Reason
SCENARIOS = ["9", "10", "11", "12", "13", "13e", "14", "15"]
ENCRYPT_ONLY = ["10", "13e", "14"]
VERSIONS = [WST_200502, WST_200512]
scenarios = pytest.mark.parametrize("scenario", SCENARIOS)
versions = pytest.mark.parametrize("trust", VERSIONS, ids=["2005", "1.3"])
derivations = pytest.mark.parametrize("keys", list(DerivedKeys), ids=lambda keys: keys.name.lower())
CALL = f'<e:echo xmlns:e="{ECHO}"><e:text>hello</e:text></e:echo>'
DATA = f"{BODY}/xenc:EncryptedData"
DKT = f"{SECURITY}/*[local-name()='DerivedKeyToken']"


def held(session: Session) -> ContextKey:
    assert session.context is not None
    return session.context


def call(world: World, text: str = "hello") -> Pending:
    return world.session.request(echo_body(world.soap, text), version=world.soap)


def opened(scenario: str, **settings: object) -> World:
    world = World(scenario, **settings)
    world.call()
    return world


# everything works in every version, by every kind of key ------------------------------------------


@scenarios
@versions
@derivations
def test_a_whole_conversation(scenario, trust, keys):
    world = World(
        deriving(scenario, keys), trust=trust, soap=SOAP_12 if keys is DerivedKeys.IMPLIED else SOAP_11
    )
    assert world.call("one").text == "one"
    world.ask(world.session, world.session.ask_renewal(version=world.soap))
    assert world.call("two").text == "two"
    world.ask(world.session, world.session.ask_end(version=world.soap))
    assert world.session.context is None
    assert world.store.totals(KIND, now=world.now).live == 0


# which policy ------------------------------------------------------------------------------------


@scenarios
@pytest.mark.parametrize("stage", [Stage.BOOTSTRAP, Stage.ENDORSED])
@pytest.mark.parametrize("action", [None, "RST/SCT", "echo"])
def test_a_call_under_the_bootstrap_policy(scenario, stage, action):
    """By certificate, EncryptedKey or password; whatever its Action says."""
    world = opened(scenario)
    blocks = ()
    if action is not None:
        uri = f"{ECHO}/echo" if action == "echo" else WST_200512.uri(action)
        blocks = addressing(to=ADDRESS, action=uri, message_id="urn:a")
    asked = ask(world, stage, CALL, context=held(world.session), blocks=blocks)
    assert world.refused(asked.data).reason is R.WRONG_POLICY
    world.accept(call(world).data)


@scenarios
@pytest.mark.parametrize("kind", ["Issue", "Renew"])
@pytest.mark.parametrize("action", [None, "own", "echo"])
def test_asked_under_the_outer_policy(scenario, kind, action):
    """The context alone gives no other one, and renews itself never."""
    world = opened(scenario)
    inner = entropy(bytes(32)) + (target("Renew", held(world.session)) if kind == "Renew" else "")
    blocks = ()
    if action is not None:
        uri = (
            WST_200512.uri("RST/SCT" + ("/Renew" if kind == "Renew" else ""))
            if action == "own"
            else f"{ECHO}/echo"
        )
        blocks = addressing(to=ADDRESS, action=uri, message_id="urn:a")
    asked = ask(world, Stage.CONVERSATION, rst(kind, inner), context=held(world.session), blocks=blocks)
    assert world.refused(asked.data).reason is R.WRONG_POLICY
    world.answer(
        ask(
            world,
            Stage.ENDORSED if kind == "Renew" else Stage.BOOTSTRAP,
            rst(kind, inner),
            context=held(world.session),
        ).data
    )


@scenarios
@pytest.mark.parametrize("kind", ["Issue", "Renew"])
def test_asked_by_the_signature_of_the_context_alone(scenario, kind):
    world = opened(scenario)
    inner = entropy(bytes(32)) + (target("Renew", held(world.session)) if kind == "Renew" else "")
    asked = ask(world, Stage.MANAGEMENT, rst(kind, inner), context=held(world.session))
    assert world.refused(asked.data).reason is R.WRONG_POLICY


@scenarios
def test_issued_under_an_endorsed_bootstrap(scenario):
    world = opened(scenario)
    asked = ask(world, Stage.ENDORSED, rst("Issue", entropy(bytes(32))), context=held(world.session))
    assert world.refused(asked.data).reason is R.WRONG_POLICY


@pytest.mark.parametrize("scenario", ["10", "11", "13", "13e", "14", "15"])
def test_a_call_that_is_signed_only(scenario):
    """What suffices for the end of a context does not for a call."""
    world = opened(scenario)
    asked = ask(world, Stage.MANAGEMENT, CALL, context=held(world.session))
    assert world.refused(asked.data).reason is R.WRONG_POLICY


@scenarios
@pytest.mark.parametrize("stage", [Stage.CONVERSATION, Stage.MANAGEMENT, Stage.ENDORSED])
def test_a_context_may_be_cancelled_by_its_own_signature(scenario, stage):
    """The twin: Rampart does so under the outer policy, CXF by the signature alone."""
    world = opened(scenario)
    content = rst("Cancel", target("Cancel", held(world.session)))
    world.answer(ask(world, stage, content, context=held(world.session)).data)
    assert world.store.totals(KIND, now=world.now).live == 0


@pytest.mark.parametrize(
    ("property_", "kind"), [("must_not_send_cancel", "Cancel"), ("must_not_send_renew", "Renew")]
)
@pytest.mark.parametrize("stage", [Stage.BOOTSTRAP, Stage.CONVERSATION, Stage.ENDORSED, Stage.MANAGEMENT])
def test_what_the_policy_says_must_not_be_sent(property_, kind, stage):
    world = World(with_token("15", **{property_: True}))
    world.call()
    content = rst(kind, target(kind, held(world.session)))
    asked = ask(world, stage, content, context=held(world.session))
    assert world.refused(asked.data).reason is R.WRONG_POLICY


@scenarios
def test_an_action_that_says_otherwise(scenario):
    world = opened(scenario)
    for action in ("RST/SCT", "RST/SCT/Renew", "RST/SCT/Cancel"):
        uri = WST_200512.uri(action)
        blocks = addressing(to=ADDRESS, action=uri, message_id="urn:a")
        asked = ask(world, Stage.CONVERSATION, CALL, context=held(world.session), blocks=blocks)
        assert world.refused(asked.data).reason is R.ACTION_MISMATCH
        assert world.refused(call(world).data, action=uri).reason is R.ACTION_MISMATCH
    request = rst("Issue", entropy(bytes(32)))
    for action in (f"{ECHO}/echo", WST_200512.uri("RST/SCT/Cancel"), WST_200502.uri("RST/SCT")):
        asked = ask(world, Stage.BOOTSTRAP, request)
        assert world.refused(asked.data, action=action).reason is R.ACTION_MISMATCH
    world.answer(ask(world, Stage.BOOTSTRAP, request).data, action=WST_200512.uri("RST/SCT"))


def test_an_endpoint_without_conversations_knows_no_contexts():
    """Its name for one is no name; and a request for one is no input."""
    world = World("6")
    donor = opened("15")
    message = donor.session.request(echo_body(world.soap, "x"), version=world.soap).data
    error = world.refused(message)
    assert isinstance(error, WSSecurityError)
    assert error.reason is R.UNSUPPORTED_REFERENCE
    body = etree.fromstring(f'<s:Body xmlns:s="{world.soap.namespace}">{rst("Issue")}</s:Body>')
    assert world.refused(world.request(body=body).data).reason is R.NOT_AN_INPUT


# endorsing signatures ------------------------------------------------------------------------------

ENDORSING = f"({SIGNATURE})[last()]"


def renewal(world: World) -> Pending:
    content = rst("Renew", entropy(bytes(32)) + target("Renew", held(world.session)))
    return ask(world, Stage.ENDORSED, content, context=held(world.session))


@scenarios
@pytest.mark.parametrize("over", ["Timestamp", "SecurityContextToken", "Body"])
def test_an_endorsing_signature_over_something_else(scenario, over):
    """It holds, and covers no message signature: two message signatures then, and one is too many."""
    world = opened(scenario)
    pending = renewal(world)

    def change(root: etree._Element) -> None:
        info = one(root, f"{ENDORSING}/ds:SignedInfo")
        for reference in info.findall("{*}Reference"):
            info.remove(reference)
        (other,) = (
            child for child in root.iter() if etree.QName(child).localname == over and child.get(WSU_ID)
        )
        sign_also(other.get(WSU_ID), path=ENDORSING)(root)
        resign(secret=held(world.session).secret, path=ENDORSING, encrypted=True)(root)

    reason = R.DIGEST_MISMATCH if over == "Body" else R.TIMESTAMP_NOT_SIGNED  # over the Body's cipher text
    assert world.refused(bend(pending.data, change)).reason is reason
    world.answer(pending.data)


@pytest.mark.parametrize("scenario", ["11", "13", "15"])
def test_two_endorsing_signatures(scenario):
    world = opened(scenario)
    pending = renewal(world)

    def change(root: etree._Element) -> None:
        duplicate(ENDORSING)(root)
        one(root, ENDORSING).set("Id", "another")
        resign(secret=held(world.session).secret, path=ENDORSING)(root)

    assert world.refused(bend(pending.data, change)).reason is R.SIGNATURE_UNEXPECTED
    world.answer(pending.data)


@pytest.mark.parametrize("scenario", ["11", "13", "15"])
def test_a_call_with_an_endorsing_signature(scenario):
    world = opened(scenario)
    pending = call(world)

    def change(root: etree._Element) -> None:
        made = copy.deepcopy(one(root, SIGNATURE))
        identifier = one(root, SIGNATURE).get("Id")
        made.set("Id", "another")
        info = made[0]
        for reference in info.findall("{*}Reference"):
            info.remove(reference)
        one(root, SIGNATURE).addnext(made)
        sign_also(identifier, path=ENDORSING)(root)
        resign(secret=secret_of(pending), path=ENDORSING)(root)

    assert world.refused(bend(pending.data, change)).reason is R.SIGNATURE_UNEXPECTED
    world.accept(pending.data)


@pytest.mark.parametrize("scenario", ["11", "15"])
def test_a_wrong_endorsing_signature(scenario):
    world = opened(scenario)
    pending = renewal(world)
    forged = bend(pending.data, resign(secret=bytes(32), path=ENDORSING))
    assert world.refused(forged).reason is R.SIGNATURE_VALUE
    bare = bend(pending.data, remove(ENDORSING))
    assert world.refused(bare).reason is R.UNUSED_HEADER_CHILD
    world.answer(pending.data)


# a Body that nothing signs -------------------------------------------------------------------------


def with_body_of(message: bytes, donor: bytes, keys: DerivedKeys = DerivedKeys.NONE) -> bytes:
    """The message with the Body of another one, and the DerivedKeyToken that its key comes from."""
    other = tree(donor)

    def change(root: etree._Element) -> None:
        old, new = one(root, DATA), copy.deepcopy(one(other, DATA))
        named = one(old, "ds:KeyInfo//wsse:Reference")
        token = named.get("URI")
        for listed in every(root, f"{SECURITY}/xenc:ReferenceList/xenc:DataReference"):
            if listed.get("URI") == f"#{old.get('Id')}":
                listed.set("URI", f"#{new.get('Id')}")
        if keys in (DerivedKeys.REQUIRED, DerivedKeys.EXPLICIT):
            last = one(root, f"({DKT})[last()]")
            moved = copy.deepcopy(one(other, f"({DKT})[last()]"))
            moved.set(WSU_ID, last.get(WSU_ID, ""))
            one(moved, "wsse:SecurityTokenReference/wsse:Reference").set(
                "URI", one(last, "wsse:SecurityTokenReference/wsse:Reference").get("URI", "")
            )
            parent = last.getparent()
            assert parent is not None
            parent.replace(last, moved)
        one(new, "ds:KeyInfo//wsse:Reference").set("URI", token or "")
        parent = old.getparent()
        assert parent is not None
        parent.replace(old, new)

    return bend(message, change)


@pytest.mark.parametrize("scenario", ENCRYPT_ONLY)
@pytest.mark.parametrize("suite", ["Basic256GcmSha256", "Basic256Sha256"])
@derivations
@pytest.mark.parametrize("later", [0, 290, 3500])
def test_an_earlier_body_under_a_withheld_header(scenario, suite, keys, later):
    """B was accepted; A's header with B's Body is not, however much later."""
    world = World(deriving(scenario, keys, suite))
    earlier = world.call("pay").request
    world.sleep(later)
    withheld = call(world)
    forged = with_body_of(withheld.data, earlier, keys)
    before = world.store.totals(MARKS, now=world.now)
    error = world.refused(forged)
    assert (error.reason, error.detail) == (R.REPLAY, "body")
    assert world.store.totals(MARKS, now=world.now) == before
    with pytest.raises(WSSecurityError):
        another_worker(world).accept(forged, version=world.soap, transport=world.transport)
    assert world.accept(withheld.data).payload[0].text == "hello"


@pytest.mark.parametrize("scenario", ENCRYPT_ONLY)
@pytest.mark.parametrize("suite", ["Basic256GcmSha256", "Basic256Sha256"])
def test_a_context_has_only_so_many_unsigned_bodies(scenario, suite):
    """None of them may be forgotten while its key lives: then the client opens another context."""
    world = World(scenario, suite=suite, conversation=ConversationSettings(unsigned_calls=2))
    world.call()
    earlier = world.call().request
    last = call(world)
    error = world.refused(last.data)
    assert (error.reason, error.fault) == (R.CONTEXT_LIMIT, SoapFault.BAD_CONTEXT_TOKEN)
    assert world.refused(with_body_of(last.data, earlier)).reason is R.REPLAY
    world.session.context = None
    world.call()


@pytest.mark.parametrize("scenario", ENCRYPT_ONLY)
def test_an_earlier_body_after_the_context_was_renewed(scenario):
    world = World(scenario)
    earlier = world.call("pay").request
    world.ask(world.session, world.session.ask_renewal(version=world.soap))
    withheld = call(world)
    assert world.refused(with_body_of(withheld.data, earlier)).reason is R.DECRYPTION
    world.accept(withheld.data)


@pytest.mark.parametrize("scenario", ENCRYPT_ONLY)
def test_bodies_of_two_withheld_messages_come_once_each_at_most(scenario):
    """What the policy leaves open: their headers can be swapped; but no Body is served twice."""
    world = opened(scenario)
    one_, two = call(world, "one"), call(world, "two")
    assert world.accept(with_body_of(one_.data, two.data)).payload[0].text == "two"
    assert world.refused(two.data).reason is R.REPLAY
    assert world.refused(one_.data).reason is R.REPLAY


@pytest.mark.parametrize("scenario", ["11", "13", "15"])
def test_a_body_that_is_signed_cannot_be_carried(scenario):
    world = opened(scenario)
    earlier, withheld = world.call("pay").request, call(world)
    assert world.refused(with_body_of(withheld.data, earlier)).reason in {
        R.DIGEST_MISMATCH,
        R.REFERENCE_TARGET,
    }
    world.accept(withheld.data)


@pytest.mark.parametrize("scenario", ENCRYPT_ONLY)
def test_a_body_under_another_context(scenario):
    world = opened(scenario)
    donor = world.open(world.make_session())
    body = donor.request(echo_body(world.soap, "pay"), version=world.soap).data
    withheld = call(world)
    assert world.refused(with_body_of(withheld.data, body)).reason is R.DECRYPTION
    world.accept(withheld.data)


# the client's side ---------------------------------------------------------------------------------


def refuses(world: World, pending: Pending, reply: bytes) -> Reason:
    with pytest.raises(WSSecurityError) as refused:
        world.session.accept(pending, reply, secure=world.transport.secure)
    return refused.value.reason


@pytest.mark.parametrize("scenario", ENCRYPT_ONLY)
@derivations
def test_a_reply_with_the_body_of_an_earlier_reply(scenario, keys):
    world = World(deriving(scenario, keys))
    earlier = world.call("yes").reply
    for later in (0, 3500):
        world.sleep(later)
        pending = call(world, "no")
        reply = world.reply(world.accept(pending.data))
        assert refuses(world, pending, with_body_of(reply, earlier, keys)) is R.REPLAY
        world.session.accept(pending, reply, secure=world.transport.secure)


@scenarios
@derivations
def test_an_earlier_reply_again(scenario, keys):
    """F14: nothing in a conversation ties a reply to its request, so that no reply counts twice."""
    world = World(deriving(scenario, keys))
    first = world.call("yes")
    pending = call(world, "no")
    reply = world.reply(world.accept(pending.data))
    assert refuses(world, pending, first.reply) is R.REPLAY
    world.session.accept(pending, reply, secure=world.transport.secure)


@scenarios
def test_another_request_of_ours_as_reply(scenario):
    """D09: a request is no reply, neither the one that it answers nor another one."""
    world = opened(scenario)
    first, second = call(world, "first"), call(world, "second")
    assert refuses(world, first, first.data) is R.REPLAY
    assert refuses(world, first, second.data) is R.REPLAY
    assert refuses(world, second, first.data) is R.REPLAY
    for pending in (first, second):
        world.session.accept(pending, world.reply(world.accept(pending.data)), secure=world.transport.secure)


@scenarios
@pytest.mark.parametrize("name", ["ask", "ask_renewal"])
def test_the_answer_to_another_request_for_a_token(scenario, name):
    """Its key is known to the EncryptedKey's maker; or, where a certificate signs, computed by both entropies."""
    world = opened(scenario)
    asking, other = (getattr(world.session, name)(version=world.soap) for _ in range(2))
    before = world.session.context
    answer = world.answer(other.data)
    if scenario not in {"9", "10", "11"}:
        with pytest.raises(WSSecurityError) as refused:
            world.session.take(asking, answer, secure=world.transport.secure)
        assert refused.value.reason is R.UNRESOLVED_REFERENCE
        assert world.session.context is before
        return
    world.session.take(asking, answer, secure=world.transport.secure)
    assert world.refused(call(world).data).reason is R.SIGNATURE_VALUE


def test_a_reply_of_another_context():
    world = opened("15")
    other = world.open(world.make_session())
    theirs = other.request(echo_body(world.soap, "x"), version=world.soap)
    reply = world.reply(world.accept(theirs.data))
    pending = call(world)
    assert refuses(world, pending, reply) is R.UNRESOLVED_REFERENCE
    world.session.accept(pending, world.reply(world.accept(pending.data)), secure=False)


@pytest.mark.parametrize("scenario", ENCRYPT_ONLY)
@pytest.mark.parametrize("keys", [DerivedKeys.NONE, DerivedKeys.EXPLICIT, DerivedKeys.IMPLIED])
def test_a_withheld_body_under_the_header_of_our_own_reply(scenario, keys):
    """D09: a fresh signature by the right key, over a Timestamp that we wrote ourselves."""
    world = World(deriving(scenario, keys))
    reply = world.call().reply
    withheld = call(world, "pay")
    error = world.refused(with_body_of(reply, withheld.data, keys))
    assert (error.reason, error.detail) == (R.REPLAY, "our own reply")
    assert world.accept(withheld.data).payload[0].text == "pay"


# our own messages as requests ----------------------------------------------------------------------


@pytest.mark.parametrize("scenario", ["9", "11", "12", "15"])
@derivations
def test_our_own_reply_that_looks_like_a_request(scenario, keys):
    """D09, L11: what we sign with a context's key comes back; its content happens to be an input."""
    world = World(deriving(scenario, keys))
    verified = world.accept(world.request().data)
    reply = world.recipient.reply(verified, echo_body(world.soap, "reflected")).data
    assert world.refused(reply).reason is R.REPLAY
    with pytest.raises(WSSecurityError):
        another_worker(world).accept(reply, version=world.soap, transport=world.transport)
    ordinary = world.recipient.reply(verified, reply_body(world.soap, "x")).data
    assert world.refused(ordinary).reason is R.REPLAY


@pytest.mark.parametrize("scenario", ["11", "14"])
@derivations
def test_nothing_is_decrypted_for_what_is_old_or_not_signed(scenario, keys, monkeypatch):
    """I02 in conversations: one key serves for long, so that questions to it would be many."""
    world = World(deriving(scenario, keys, "Basic256Sha256"))
    accepted = world.call()
    messages = [call(world).data for _ in range(2)]
    seen = []
    genuine = decrypting.decrypt_alike
    monkeypatch.setattr(decrypting, "decrypt_alike", lambda *given: (seen.append(given), genuine(*given))[1])
    assert world.refused(bend(accepted.request, flip(f"{DATA}//xenc:CipherValue"))).reason is R.REPLAY
    world.sleep(400)
    assert world.refused(messages[0]).reason is R.TIMESTAMP_EXPIRED
    world.sleep(-400)
    assert world.refused(bend(messages[0], remove(SIGNATURE))).reason is R.SIGNATURE_MISSING
    assert seen == []
    world.accept(messages[0])
    assert len(seen) == 1


@pytest.mark.parametrize("scenario", ENCRYPT_ONLY)
def test_an_earlier_body_of_cbc_with_another_end(scenario):
    """CBC, and a client whose padding is white space: one known block more makes another last block.

    Padding of PKCS #7 and ten bytes is ten line feeds. With a block C_j appended whose plaintext P_j is
    known, the new last block decrypts to P_j ^ C_(j-1) ^ C_n; where its last byte is 16 all of it is
    padding, and the old padding is text.
    """
    world = opened(scenario, suite="Basic256Sha256")
    secret = held(world.session).secret
    content = f'<e:echo xmlns:e="{ECHO}"><e:text>{"pay " * 20_000}</e:text></e:echo>'.encode()
    content += b" " * (-(len(content) + 10) % 16)
    padded = content + b"\n" * 10
    cipher = Cipher(AES(secret), modes.CBC(bytes(range(16)))).encryptor()
    octets = bytes(range(16)) + cipher.update(padded) + cipher.finalize()

    def put(value: bytes):
        return text(f"{DATA}/xenc:CipherData/xenc:CipherValue", base64.b64encode(value).decode())

    genuine = bend(call(world).data, put(octets))
    world.accept(genuine)
    blocks = [octets[place : place + 16] for place in range(0, len(octets), 16)]
    plain = [padded[place : place + 16] for place in range(0, len(padded), 16)]
    last = blocks[-1]
    chosen = next(
        number
        for number in range(1, len(blocks))
        if plain[number - 1][15] ^ blocks[number - 1][15] ^ last[15] == 16
    )
    withheld = call(world)
    forged = bend(withheld.data, put(octets + blocks[chosen]))
    assert world.refused(forged).reason is R.REPLAY


@pytest.mark.parametrize("scenario", ENCRYPT_ONLY)
@pytest.mark.parametrize("suite", ["Basic256GcmSha256", "Basic256Sha256"])
def test_a_body_of_one_block_is_no_copy_of_itself(scenario, suite):
    """Its first block is its last one."""
    world = opened(scenario, suite=suite)
    pending = call(world)
    short = bend(pending.data, reencrypt(DATA, secret_of(pending), b"<e:echo/>"))
    world.accept(short)
    assert world.refused(with_body_of(call(world).data, short)).reason is R.REPLAY
