"""Every scenario's messages are judged again from the archive alone, and changed ones are not."""

from dataclasses import replace

import pytest
from cryptography import x509

from tests.simulator import pki
from tests.simulator.archived import Archived
from tests.simulator.world import Party, World, authority, issued
from wsprovider.archive.proving import prove_reply, prove_request
from wsprovider.archive.reading import Found, Reader
from wsprovider.archive.report import reply_lines, request_lines
from wsprovider.archive.writing import CONTEXT
from wsprovider.keyring.path import Authorities
from wsprovider.keyring.revocation import RevocationLists
from wsprovider.keyring.ring import RingSnapshot
from wsprovider.keyring.subjects import SubjectRule
from wsprovider.keyring.trust import AuthorityGroup, Trust
from wsprovider.scenarios.catalogue import SCENARIOS
from wsprovider.soap.version import SOAP_11, SOAP_12
from wsprovider.words.limits import Limits
from wsprovider.words.suites import SUITES, allow_sha1


@pytest.mark.parametrize("soap", [SOAP_11, SOAP_12], ids=lambda soap: soap.name)
@pytest.mark.parametrize("scenario", [row.slug for row in SCENARIOS])
def test_request_and_reply_hold_years_later(tmp_path, scenario, soap):
    archived = Archived(tmp_path, World(scenario, soap=soap))
    asked, answered = archived.exchange()
    archived.world.sleep(3 * 365 * 86_400)
    request, reply = archived.read(asked), archived.read(answered)
    proof = prove_request(request)
    assert proof.failure is None
    assert b"hello" in proof.tree
    proof = prove_reply(reply, request)
    assert proof.failure is None
    assert b"hello" in proof.tree
    assert archived.verify().findings == []


def of_ca(world: World, *revoked: pki.Holder) -> None:
    """Have the service trust a CA that publishes lists, instead of certificates one by one."""
    ca = authority()
    lists = RevocationLists((x509.load_der_x509_crl(ca.crl(*revoked)),))
    group = AuthorityGroup(
        "customers",
        Authorities((ca.certificate,)),
        (SubjectRule.of_attributes({"CN": "cli*", "O": "Tests"}, "customer", frozenset({"buyer"})),),
        revocation=lists,
    )
    ring = world.service.snapshot.ring
    world.service = Party(world.service.issued, RingSnapshot(ring, Trust((group,), Limits()), "2"))


def test_path_and_revocation_are_judged_as_of_then(tmp_path):
    world = World("sign-encrypt-x509")
    of_ca(world)
    archived = Archived(tmp_path, world)
    asked, _ = archived.exchange()
    of_ca(world, issued("client"))  # revoked the next day
    world.sleep(3 * 365 * 86_400)
    request = archived.read(asked)
    proof = prove_request(request)
    assert proof.failure is None
    told = dict(request_lines(request, proof))
    assert told["trust"].startswith("CN=client,O=Tests < CN=Test CA, by group 'customers', valid then")
    assert told["revocation"].startswith("none of them revoked by the list of CN=Test CA")
    assert told["caller"] == "customer, by certificate, roles buyer"


def test_at_another_moment_it_does_not_hold(tmp_path):
    world = World("sign-encrypt-x509")
    of_ca(world)
    archived = Archived(tmp_path, world)
    request = archived.read(archived.exchange()[0])
    stale = replace(request, facts={**request.facts, "received": pki.days(4000).isoformat()})
    assert prove_request(request).failure is None
    assert "CERTIFICATE_EXPIRED" in prove_request(stale).failure


def bent(found: Found, **facts: object) -> Found:
    """The same record with other facts, as nobody without the key could make it."""
    return replace(found, facts={**found.facts, **facts})


def test_each_fact_counts(tmp_path):
    """What was judged by is what is judged by again: another policy, wire or secret does not hold."""
    archived = Archived(tmp_path, World("sign-encrypt-username"))
    asked, answered = archived.exchange()
    request, reply = archived.read(asked), archived.read(answered)
    other = Archived(tmp_path / "other", World("integrity"))
    policy = other.read(other.exchange()[0])
    wire = request.parts["wire"].replace(b"<wsu:Created>2026", b"<wsu:Created>2025")
    changed = [
        (replace(request, parts={**request.parts, "wire": wire}), "DIGEST_MISMATCH"),
        (replace(request, parts={**request.parts, "secret-1": bytes(32)}), "SIGNATURE_VALUE"),
        (bent(request, secrets=[]), "UNRESOLVED_REFERENCE"),
        (bent(request, freshness=[0.0, 0.0, 0.0], received="2026-06-01T12:10:00+00:00"), "TIMESTAMP_EXPIRED"),
        (bent(request, policy="0" * 64), "the archive lacks"),
        (replace(policy, facts={**request.facts, "policy": policy.facts["policy"]}), ""),
        (bent(request, stage="another"), "this version reads"),
    ]
    assert prove_request(request).failure is None
    for found, told in changed:
        failure = prove_request(found).failure
        assert failure is not None
        assert told in failure
    assert prove_reply(reply, request).failure is None
    assert prove_reply(replace(reply, parts=request.parts), request).failure is not None
    assert dict(reply_lines(reply, prove_reply(changed[1][0], request)))["judged again"].startswith(
        "DOES NOT"
    )


def test_what_service_toml_lets_in_beside_the_policy_is_let_in_again(tmp_path):
    suite = allow_sha1(SUITES["Basic256Sha256"])
    archived = Archived(tmp_path, World("non-repudiation", suite=suite))
    request = archived.read(archived.exchange()[0])
    assert request.facts["rsa_sha1"] is True
    assert prove_request(request).failure is None


def test_the_request_that_opened_a_context_is_kept_and_found_by_it(tmp_path):
    archived = Archived(tmp_path, World("conversation-sign-encrypt-username"))
    world = archived.world
    asking = world.session.ask(version=world.soap)
    number, verified = archived.asked(asking.data)
    answered = world.recipient.answer(verified)
    archived.answered(answered.wire, number, answered.context)
    world.session.take(asking, answered.wire.data, secure=False)
    request = archived.read(archived.exchange()[0])
    context = request.facts["context"]
    assert context == world.session.context.identifier
    first, second = Reader(archived.store, archived.key(archived.store).secret()).named(CONTEXT, context)
    assert (first.record.fields["request"], second.record.name) == (number, request.record.name)
    opened = archived.read(number)
    assert (opened.facts["operation"], opened.facts["principal"]) == ("security-context-issue", "alice")
    assert prove_request(opened).failure is None
    assert prove_reply(first, opened).failure is None
