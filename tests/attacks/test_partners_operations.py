"""Partners with algorithms of their own, at an endpoint whose operations have policies of their own."""

import pytest

from tests.attacks.test_operations import BOTH, NOTIFY, PASSWORD, Mixed, body, both
from tests.attacks.test_partners import CLIENT, deviating
from wsprovider.exchange.partners import Partners
from wsprovider.exchange.principal import ANONYMOUS
from wsprovider.outbound.message import Algorithms
from wsprovider.policy.assigned import UNPROTECTED
from wsprovider.policy.compile import compile_operation
from wsprovider.policy.suites import with_suites
from wsprovider.words import algorithms as alg
from wsprovider.words.reasons import Reason
from wsprovider.words.suites import allow_sha1

SHA1 = Algorithms(signature=alg.RSA_SHA1, digest=alg.SHA1)


def world(partners: Partners, **settings) -> Mixed:
    return Mixed(BOTH, {"erase": both(PASSWORD), "notify": UNPROTECTED}, partners=partners, **settings)


def sha1(mixed: Mixed) -> bytes:
    """A call of echo by the client, signed by SHA-1."""
    widened = mixed.assigned.changed(lambda policy: with_suites(policy, allow_sha1))
    (requirements,) = compile_operation("echo", widened.of("echo"), "mixed")
    sender = mixed.make_initiator(policy=requirements, algorithms=SHA1)
    return sender.request(body("echo"), version=mixed.soap).data


def test_a_partners_own_way_leads_to_the_operation_it_is_for():
    mixed = world(deviating(CLIENT, rsa_sha1=True))
    assert mixed.accept(sha1(mixed)).principal.partner
    assert mixed.accept(mixed.send("echo")).principal.partner
    other = world(deviating(CLIENT))
    assert other.refused(sha1(other)).reason is Reason.ALGORITHM_NOT_IN_SUITE


@pytest.mark.parametrize("required", [False, True])
def test_unprotected_operations_ask_for_no_partner(required):
    mixed = world(deviating(CLIENT, rsa_sha1=True), partners_required=required)
    assert mixed.accept(mixed.send("notify")).principal is ANONYMOUS
    if required:
        assert mixed.refused(mixed.send("erase")).reason is Reason.PARTNER_UNKNOWN
    else:
        assert mixed.accept(mixed.send("erase")).principal.name == "alice"
    assert mixed.accept(mixed.send("echo")).operation is not NOTIFY


def test_less_than_an_operation_wants_is_refused_from_a_partner_too():
    mixed = world(deviating(CLIENT, rsa_sha1=True))
    assert mixed.refused(mixed.send("echo", like="notify")).reason is Reason.NO_SECURITY_HEADER
    assert mixed.refused(mixed.send("erase", like="echo")).reason is Reason.KEY_KIND
    assert mixed.accept(mixed.send("echo")).principal.name == "acme"
