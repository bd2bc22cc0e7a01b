"""Pages of endpoints whose operations have policies of their own."""

from spyne import ServiceBase, Unicode, rpc

from tests.unit.server.pages.paged import Html, facts
from wsprovider.policy.assigned import UNPROTECTED, Assigned, OperationPolicies
from wsprovider.scenarios.catalogue import find


class Desk(ServiceBase):
    @rpc(_returns=Unicode)
    def ping(ctx):  # noqa: N805
        return ""

    @rpc(Unicode, _returns=Unicode)
    def ask(ctx, text):  # noqa: N805
        return text

    @rpc(Unicode, _returns=Unicode)
    def pay(ctx, text):  # noqa: N805
        return text


def test_each_operation_stands_with_what_protects_it():
    usual, own = find("non-repudiation").policy(), find("sign-encrypt-username").policy()
    assigned = Assigned(usual, {"ping": UNPROTECTED, "pay": OperationPolicies(own, own)})
    told = facts(usual, services=(Desk,), scenario="non-repudiation", assigned=assigned)
    text = Html.of(told).text
    assert (told.of, told.usual, told.unprotected) == ((("ask",), ("pay",)), (True, False), {"ping"})
    assert "How calls of ask are protected" in text
    assert "How calls of pay are protected" in text
    assert text.count("Scenario non-repudiation") == 1
    assert text.count("unprotected: for messages without a Security header") == 1


def test_one_policy_for_all_names_no_operation():
    usual = find("non-repudiation").policy()
    told = facts(usual, services=(Desk,), scenario="non-repudiation")
    assert (told.of, told.usual, told.unprotected) == (((),), (True,), frozenset())
    assert "How calls of ask" not in Html.of(told).text
