"""Operations with policies of their own: what is demanded follows from what would be called, and from nothing else."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree

from tests.simulator.world import ECHO, OPERATION, OTHER_OPERATION, World, policy
from wsprovider.exchange.principal import ANONYMOUS
from wsprovider.exchange.settings import Operation
from wsprovider.policy.assigned import UNPROTECTED, Assigned, OperationPolicies, check_assigned
from wsprovider.policy.compile import compile_operation
from wsprovider.policy.model import Parts, Policy
from wsprovider.scenarios.catalogue import find
from wsprovider.words.errors import ConfigurationError, WSSecurityError
from wsprovider.words.reasons import Reason

BODY = Parts(body=True)
BOTH = find("sign-encrypt-x509").policy(None)
SIGNED = policy("sign-encrypt-x509", signed=BODY, encrypted=Parts())
SEALED_ONLY = policy("sign-encrypt-x509", signed=Parts(), encrypted=BODY)
PASSWORD = find("sign-encrypt-username").policy(None)
IN_CONTEXT = find("conversation-sign-encrypt-x509").policy(None)
NOTIFY = Operation("notify", f"{{{ECHO}}}notify", f"{ECHO}/notify", "", one_way=True)


def body(operation: str, text: str = "hello", soap: str = "http://schemas.xmlsoap.org/soap/envelope/") -> Any:
    root = etree.Element(f"{{{soap}}}Body", nsmap={"s": soap, "e": ECHO})
    payload = etree.SubElement(root, f"{{{ECHO}}}{operation}")
    etree.SubElement(payload, f"{{{ECHO}}}text").text = text
    return root


class Mixed(World):
    """A world whose operations echo, erase and notify have policies of their own."""

    def __init__(
        self, usual: Policy | None, operations: Mapping[str, OperationPolicies], **settings: Any
    ) -> None:
        self.assigned = Assigned(usual, operations)
        super().__init__(self.assigned.everything, **settings)
        named = {one.input: one for one in (OPERATION, OTHER_OPERATION, NOTIFY)}
        self.settings = replace(self.settings, operations=named)
        self.policy = self.assigned
        self.recipient = self.make_recipient(self.settings)

    def sender(self, operation: str, party: Any = None) -> Any:
        one_way = operation == NOTIFY.name
        requirements, *_ = compile_operation(operation, self.assigned.of(operation, one_way=one_way), "mixed")
        if requirements.conversation is not None:
            return self.make_session(policy=requirements)
        return self.make_initiator(party, policy=requirements)

    def send(self, operation: str, *, like: str | None = None, **more: Any) -> bytes:
        """A call of an operation, protected as it should be, or like another operation."""
        return self.sender(like or operation).request(body(operation), version=self.soap, **more).data

    def both_ways(self, operation: str) -> Any:
        sender = self.sender(operation)
        pending = sender.request(body(operation), version=self.soap)
        verified = self.accept(pending.data)
        return verified, sender.accept(pending, self.reply(verified), secure=False)


def both(one: Policy | None) -> OperationPolicies:
    return OperationPolicies(one, one)


def test_each_operation_is_called_under_its_own_policy():
    world = Mixed(BOTH, {"erase": both(PASSWORD), "notify": UNPROTECTED})
    assert world.both_ways("echo")[0].principal.name == "client"
    assert world.both_ways("erase")[0].principal.name == "alice"
    assert world.accept(world.send("notify")).principal is ANONYMOUS


@pytest.mark.parametrize(
    ("like", "reason"),
    [("notify", Reason.NO_SECURITY_HEADER), ("erase", Reason.KEY_KIND)],
)
def test_a_call_protected_as_another_operation_wants_it_is_refused(like, reason):
    world = Mixed(BOTH, {"erase": both(PASSWORD), "notify": UNPROTECTED})
    assert world.refused(world.send("echo", like=like)).reason is reason
    world.accept(world.send(like))
    world.accept(world.send("echo"))


def test_less_than_the_operation_wants_is_refused_though_another_asks_no_more():
    world = Mixed(BOTH, {"erase": both(SIGNED)})
    assert world.refused(world.send("echo", like="erase")).reason is Reason.BODY_NOT_ENCRYPTED
    world.accept(world.send("erase"))
    assert world.refused(world.send("erase", like="echo")).reason is Reason.ENCRYPTION_UNEXPECTED
    world.accept(world.send("echo"))


def test_an_unprotected_operation_takes_no_security_header():
    world = Mixed(BOTH, {"notify": UNPROTECTED})
    refused = world.refused(world.send("notify", like="echo"))
    assert refused.reason is Reason.UNUSED_HEADER_CHILD
    assert world.accept(world.send("notify")).operation is NOTIFY


def test_the_action_of_an_unprotected_operation_opens_no_other():
    world = Mixed(BOTH, {"notify": UNPROTECTED})
    bare = world.send("echo", like="notify")
    for action in (None, NOTIFY.action, OPERATION.action):
        assert world.refused(bare, action=action).reason is Reason.NO_SECURITY_HEADER
    assert world.refused(world.send("echo"), action=NOTIFY.action).reason is Reason.ACTION_MISMATCH
    world.accept(world.send("echo"), action=OPERATION.action)


def test_a_protected_call_in_a_header_of_an_unprotected_one_calls_nothing():
    """The element that is judged is the Body's, and it is the one that is called."""
    world = Mixed(BOTH, {"notify": UNPROTECTED})
    genuine = etree.fromstring(world.send("echo"))
    soap = "{http://schemas.xmlsoap.org/soap/envelope/}"
    header, moved = genuine.find(f"{soap}Header"), genuine.find(f"{soap}Body")
    genuine.remove(moved)
    etree.SubElement(header, "{urn:test}wrapper").append(moved)
    genuine.append(body("notify"))
    assert world.refused(etree.tostring(genuine)).reason is Reason.REFERENCE_TARGET
    assert world.accept(world.send("notify")).operation is NOTIFY


def test_roles_are_not_asked_where_nobody_is_known():
    world = Mixed(PASSWORD, {"notify": UNPROTECTED}, roles=frozenset({"clerk"}))
    assert world.accept(world.send("notify")).principal is ANONYMOUS
    assert world.refused(world.send("echo")).reason is Reason.ROLE_MISSING
    world.users.roles = frozenset({"clerk"})
    world.accept(world.send("echo"))


def test_the_reply_has_the_parts_of_its_own_message():
    world = Mixed(
        None, {"echo": OperationPolicies(SIGNED, BOTH), "erase": both(SIGNED), "notify": both(BOTH)}
    )
    verified, answer = world.both_ways("echo")
    assert not verified.evidence.decryptions
    assert answer.verdict.case.evidence.decryptions
    _, answer = world.both_ways("erase")
    assert not answer.verdict.case.evidence.decryptions


def test_a_reply_with_the_parts_of_another_operation_is_refused_by_the_client():
    world = Mixed(
        None, {"echo": OperationPolicies(SIGNED, BOTH), "erase": both(SIGNED), "notify": both(BOTH)}
    )
    sender = world.sender("erase")
    pending = sender.request(body("erase"), version=world.soap)
    verified = world.accept(pending.data)
    sender.accept(pending, world.reply(verified), secure=False)
    again = sender.request(body("erase"), version=world.soap)
    other = replace(world.accept(again.data), way=world.accept(world.send("echo")).way)
    with pytest.raises(WSSecurityError) as caught:
        sender.accept(again, world.reply(other), secure=False)
    assert caught.value.reason is Reason.ENCRYPTION_UNEXPECTED


def test_a_copy_is_a_replay_whichever_operation_it_calls():
    world = Mixed(BOTH, {"erase": both(SIGNED)})
    for operation in ("echo", "erase"):
        message = world.send(operation)
        world.accept(message)
        assert world.refused(message).reason is Reason.REPLAY


def test_a_context_serves_all_operations_of_its_endpoint_and_none_that_is_outside():
    signed_only = replace(
        IN_CONTEXT, alternatives=(replace(IN_CONTEXT.alternatives[0], encrypted_parts=Parts()),)
    )
    world = Mixed(IN_CONTEXT, {"erase": both(signed_only), "notify": UNPROTECTED})
    session = world.open(world.sender("erase"))
    verified = world.accept(session.request(body("erase"), version=world.soap).data)
    assert (verified.operation.name, verified.principal.name) == ("erase", "client")
    refused = world.refused(session.request(body("echo"), version=world.soap).data)
    assert (refused.reason, refused.detail) == (Reason.WRONG_POLICY, "BODY_NOT_ENCRYPTED")
    refused = world.refused(session.request(body("notify"), version=world.soap).data)
    assert (refused.reason, refused.detail) == (Reason.WRONG_POLICY, "UNUSED_HEADER_CHILD")
    world.accept(world.send("notify"))


# set-ups ------------------------------------------------------------------------------------------

NAMES = {"echo": False, "erase": False, "notify": True}


def problems(assigned: Assigned, unprotected: tuple[str, ...] = ()) -> str:
    with pytest.raises(ConfigurationError) as caught:
        check_assigned(assigned, NAMES, unprotected, "here")
    return str(caught.value)


def test_what_is_left_bare_has_to_be_named():
    assigned = Assigned(BOTH, {"notify": UNPROTECTED})
    assert (
        'operation notify: no policy protects the Body of its request and reply; if that is meant, say unprotected = ["notify"]'
        in problems(assigned)
    )
    check_assigned(assigned, NAMES, ("notify",), "here")


def test_a_body_that_neither_is_signed_nor_encrypted_is_bare():
    """A binding whose parts were forgotten signs a Timestamp and nothing that is said."""
    timestamp_only = policy("sign-encrypt-x509", signed=Parts(), encrypted=Parts())
    assert "operation erase: no policy protects the Body of its reply;" in problems(
        Assigned(BOTH, {"erase": OperationPolicies(BOTH, timestamp_only)})
    )
    check_assigned(Assigned(BOTH, {"erase": both(SEALED_ONLY)}), NAMES, (), "here")


def test_names_are_those_of_the_service():
    assert "unprotected: the service has no operation 'eras'" in problems(Assigned(BOTH), ("eras",))
    assert "operations: the service has no operation 'eras'" in problems(
        Assigned(BOTH, {"eras": both(SIGNED)})
    )
    assert "unprotected names erase, which its policy protects" in problems(Assigned(BOTH), ("erase",))
    bare = Assigned(None, dict.fromkeys(NAMES, UNPROTECTED))
    assert "nothing at all is protected here" in problems(bare, tuple(NAMES))
    check_assigned(Assigned(BOTH), NAMES, (), "here")


@pytest.mark.parametrize(
    ("operations", "said"),
    [
        ({"erase": OperationPolicies(BOTH, PASSWORD)}, "request and reply may differ in SignedParts"),
        ({"erase": OperationPolicies(BOTH, None)}, "needs one for both"),
        ({"erase": OperationPolicies(None, BOTH)}, "needs one for both"),
        (
            {"erase": both(policy("sign-encrypt-x509", encrypt_before_signing=True))},
            "must agree on the protection order",
        ),
        (
            {
                "echo": both(IN_CONTEXT),
                "erase": both(find("conversation-sign-encrypt-username").policy(None)),
            },
            "must agree on the conversation",
        ),
    ],
)
def test_what_cannot_be_told_apart_is_refused_at_start(operations, said):
    with pytest.raises(ConfigurationError) as caught:
        Mixed(BOTH, operations)
    assert said in str(caught.value)
    Mixed(BOTH, {"erase": both(SIGNED)})
