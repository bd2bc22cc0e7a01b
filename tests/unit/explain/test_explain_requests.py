"""Requests explained: the verdict is the engine's own, and its place is the element that is to blame."""

from dataclasses import replace as replace_fields
from datetime import timedelta

import pytest

from tests.attacks.test_catalogue import ROWS
from tests.simulator.bend import (
    BODY,
    SIGNATURE,
    TIMESTAMP,
    WSU_ID,
    attribute,
    bend,
    duplicate,
    remove,
    replace,
    tree,
)
from tests.simulator.world import BOTH, PLAIN, SECURE, World, echo_body, issued, party, policy
from tests.unit.explain.explained import explained
from wsprovider.exchange.partners import Access, Deviation, Partners, certificate_identity
from wsprovider.exchange.partners import Partner as Called
from wsprovider.explain.explaining import created_of
from wsprovider.explain.report import Item, Report, Standing, detail_of
from wsprovider.inbound.rules import RULES
from wsprovider.keyring.lifecycle import Lifespan
from wsprovider.keyring.ring import Ring, RingKey, RingSnapshot
from wsprovider.keyring.trust import Partner, PinnedGroup, Trust
from wsprovider.outbound.message import Algorithms
from wsprovider.policy.model import Parts
from wsprovider.soap.version import SOAP_12
from wsprovider.words import algorithms as alg
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

SCENARIOS = [*(str(number) for number in range(1, 17)), "13e"]
FIRST = {row.reasons: row for row in reversed(ROWS)}.values()
"""One bent message for each Reason of the catalogue."""
BY_NAME = {str(row): row for row in ROWS}
HEADER = "/Envelope/Header"
IN = f"{HEADER}/Security"
PLACES = {
    "C01 wsa:Action of another operation [3]": f"{HEADER}/Action",
    "C02 unknown header [3]": f"{HEADER}/x",
    "C04 the other version [3]": "/Envelope",
    "C05 two headers [3]": f"{IN}[2]",
    "C05 another role [3]": HEADER,
    "C09 empty Body [3]": "/Envelope/Body",
    "C10 quote in an id [3]": "/Envelope/Body",
    "D02 unknown child no namespace [3]": f"{IN}/x",
    "D02 value type [2]": f"{IN}/BinarySecurityToken",
    "D03 two Timestamps [3]": f"{IN}/Timestamp[2]",
    "D04 token behind its signature, Strict [2]": f"{IN}/Signature",
    "D07 one more EncryptedKey [3]": f"{IN}/EncryptedKey[2]",
    "D07 one more BST [2]": f"{IN}/BinarySecurityToken[1]",
    "D07 a UsernameToken [3]": f"{IN}/UsernameToken",
    "D09 SignatureConfirmation in a request [3]": f"{IN}/SignatureConfirmation",
    "E12 STR-Transform of the Body [3]": f"{IN}/Signature/SignedInfo/Reference[1]",
    "F01 signature left out [3]": f"{IN}/Timestamp",
    "F02 Body not signed [3]": "/Envelope/Body",
    "F02 token not signed [8]": f"{IN}/UsernameToken",
    "F03 XPath transform [3]": f"{IN}/Signature",
    "F04 relative namespace [3]": f"{IN}/Signature/SignedInfo/Reference[1]",
    "F07 RSA with SHA-1 [2]": f"{IN}/Signature",
    "F10 one bit of the MAC [3]": f"{IN}/Signature",
    "I05 tag cut by 1 [4]": "/Envelope/Body/EncryptedData",
    "I07 one more EncryptedData in the header [6]": f"{IN}/ReferenceList",
    "I07 one more, Content [6]": f"{IN}/EncryptedData",
    "I07 in a header block [6]": f"{HEADER}/EncryptedData",
    "I09 two elements for one [8]": f"{IN}/EncryptedData",
    "I10 ciphertext in ciphertext [6]": "/Envelope/Body",
    "I10 ciphertext in the token's ciphertext [8]": f"{IN}/EncryptedData",
    "I12 CipherReference of a key [6]": f"{IN}/EncryptedKey",
    "I16 Body in clear [6]": "/Envelope/Body",
    "J01 no Timestamp [3]": IN,
    "J01 expired [3]": f"{IN}/Timestamp",
    "K03 unknown type [1]": f"{IN}/UsernameToken",
    "K06 old [1]": f"{IN}/UsernameToken",
    "K08 space in the name [1]": f"{IN}/UsernameToken",
    "L01 Identifier unknown [15]": f"{IN}/SecurityContextToken",
    "L08 Length 0 [15]": f"{IN}/DerivedKeyToken[1]",
    "L11 our own reply as request [9]": f"{IN}/Signature",
    "N02 nobody's AP-REQ [16]": f"{IN}/BinarySecurityToken",
    "O02 another path [3]": f"{HEADER}/To",
}


def items(report: Report, title: str) -> list[Item]:
    return [item for item in report.items if item.title == title]


def told(item: Item) -> dict[str, str]:
    return dict(item.facts)


def every_item(report: Report) -> list[Item]:
    return [found for item in report.items for found in (item, *item.parts)]


# the verdict ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_genuine_request_is_accepted_and_everything_holds(scenario):
    world = World(scenario)
    request = world.request().data
    report = explained(world, request).report
    assert report.accepted
    assert report.headline.startswith("Accepted as a call of echo by ")
    (closest,) = [way for way in report.ways if way.closest]
    assert {one.standing for one in (*closest.demands, *report.steps)} == {Standing.HOLDS}
    assert not [item for item in every_item(report) if item.standing is Standing.FAILS]
    world.accept(request)  # the explanation has used nothing up


@pytest.mark.parametrize("row", FIRST, ids=str)
def test_a_bent_request_is_refused_as_its_recipient_refuses_it(row):
    world = World(row.policy or row.scenario, **row.world)
    if world.conversation:
        world.open()
    genuine = world.request()
    message = row.bent(world, genuine)
    before = world.state()
    report = explained(world, message, **row.accept).report
    assert world.state() == before
    refusal = world.refused(message, **row.accept)
    assert report.trouble is not None
    assert (report.trouble.reason, report.trouble.detail) == (refusal.reason, detail_of(refusal))
    assert refusal.reason.name in report.headline
    assert report.advice
    assert explained(world, genuine.data).report.accepted


@pytest.mark.parametrize(("name", "path"), PLACES.items())
def test_the_place_is_the_element_that_is_to_blame(name, path):
    row = BY_NAME[name]
    world = World(row.policy or row.scenario, **row.world)
    if world.conversation:
        world.open()
    trouble = explained(world, row.bent(world, world.request()), **row.accept).report.trouble
    assert trouble is not None
    assert trouble.spot is not None
    assert trouble.spot.path == path


def test_what_a_message_lacks_is_what_the_judge_says():
    """Where every piece holds, the closest way's first finding is the Reason of the refusal."""
    compared = 0
    for row in FIRST:
        world = World(row.policy or row.scenario, **row.world)
        if world.conversation:
            world.open()
        found = explained(world, row.bent(world, world.request()), **row.accept)
        failing = {
            trouble.reason
            for demand in found.report.ways[0].demands
            if demand.standing is Standing.FAILS
            for trouble in demand.troubles
        }
        if found.dissection is not None and found.dissection.clean and failing:
            compared += 1
            assert found.report.trouble is not None
            assert found.report.trouble.reason in failing
    assert compared > len(RULES)


# places --------------------------------------------------------------------------------------------


def test_lines_and_columns_are_those_of_the_bytes():
    world = World("3")
    pretty = world.request().data.replace(b"<wsu:Timestamp ", b"\n   <wsu:Timestamp ", 1)
    (stamp,) = items(explained(world, pretty).report, "Timestamp")
    assert stamp.spot is not None
    assert (stamp.spot.line, stamp.spot.column) == (2, 4)
    line = pretty.split(b"\n")[1]
    assert line[stamp.spot.column - 1 :].startswith(b"<wsu:Timestamp ")


def test_what_shows_after_decryption_is_told_at_its_cipher_text():
    world = World("8")
    message = world.request().data
    (token,) = items(explained(world, message).report, "UsernameToken")
    assert token.spot is not None
    assert token.spot.decrypted
    assert message[token.spot.column - 1 :].startswith(b"<xenc:EncryptedData ")


# pieces --------------------------------------------------------------------------------------------


def test_a_changed_body_is_told_with_both_digests():
    world = World("2")
    message = world.request().data.replace(b"hello", b"other")
    report = explained(world, message).report
    (signature,) = items(report, "Signature")
    assert told(signature)["value"] == "holds"
    body, stamp = signature.parts
    assert (body.standing, stamp.standing) == (Standing.FAILS, Standing.HOLDS)
    assert told(body)["signed"] != told(body)["computed"]
    assert report.trouble is not None
    assert report.trouble.reason is Reason.DIGEST_MISMATCH
    assert str(report.trouble.spot).startswith("/Envelope/Body line 1")


def test_several_things_are_wrong_at_once_and_all_are_told():
    world = World("2")
    change = attribute("//ds:Reference[1]", "URI", "#nothing")
    message = bend(
        world.request().data, change, remove(TIMESTAMP), replace(f"{SIGNATURE}/ds:KeyInfo/*", "<e:x/>")
    )
    report = explained(world, message).report
    assert [item.title for item in report.items if item.standing is Standing.FAILS] == ["Signature"]
    missing = {t.reason for demand in report.ways[0].demands for t in demand.troubles}
    assert {Reason.TIMESTAMP_MISSING, Reason.SIGNATURE_MISSING, Reason.BODY_NOT_SIGNED} <= missing


def test_a_stranger_is_told_by_the_certificate():
    world = World("2")
    mallory = world.make_initiator(party(issued("mallory"), ("service", world.service.certificate)))
    report = explained(world, mallory.request(echo_body(world.soap, "hello"), version=world.soap).data).report
    assert report.trouble is not None
    assert report.trouble.reason is Reason.CERTIFICATE_NOT_TRUSTED
    assert "wsprovider keys trust add" in " ".join(report.advice)
    (token,) = items(report, "BinarySecurityToken")
    assert told(token)["subject"] == "CN=mallory,O=Tests"
    assert told(token)["thumbprint (SHA-1)"] == issued("mallory").certificate.thumbprint_sha1.hex()
    genuine = explained(world, world.request().data).report
    assert "client" in told(items(genuine, "Signature")[0])["key"]


def test_the_key_that_a_client_addressed_is_told_beside_ours():
    world = World("6")
    old = issued("service-of-old").certificate
    client = world.make_initiator(party(issued("client"), ("service", old)))
    report = explained(world, client.request(echo_body(world.soap, "hello"), version=world.soap).data).report
    assert report.trouble is not None
    assert report.trouble.reason is Reason.UNRESOLVED_REFERENCE
    assert report.trouble.spot is not None
    assert report.trouble.spot.path == f"{IN}/EncryptedKey"
    (key,) = items(report, "EncryptedKey")
    assert old.thumbprint_sha1.hex() in told(key)["for"]
    assert told(key)["not our key"].startswith("'key', active")
    assert world.service.certificate.thumbprint_sha1.hex() in told(key)["not our key"]
    (ours,) = items(explained(world, world.request().data).report, "EncryptedKey")
    assert told(ours)["our key"] == "'key', active"


def test_the_suite_says_what_it_allows():
    world = World("2", suite="Basic256Sha256")
    old = World("2", suite="Basic256")
    report = explained(world, old.request().data).report
    assert report.trouble is not None
    assert report.trouble.reason is Reason.ALGORITHM_NOT_IN_SUITE
    assert "Basic256Sha256 allows for digests: " in " ".join(report.advice)


def test_who_encrypted_first_and_signed_then_is_told_so():
    world = World("6")
    wrong = world.make_initiator(policy=policy("6", encrypt_before_signing=True))
    message = wrong.request(echo_body(world.soap, "hello"), version=world.soap).data
    report = explained(world, message).report
    assert report.trouble is not None
    assert report.trouble.reason is Reason.DIGEST_MISMATCH
    notes = [told(part).get("note", "") for part in items(report, "Signature")[0].parts]
    assert any("encrypted before it signed" in note for note in notes)
    right = World(policy("6", encrypt_before_signing=True))
    assert explained(right, right.request().data).report.accepted


@pytest.mark.parametrize("order", [False, True])
def test_a_signature_that_was_encrypted_is_told(order):
    world = World(policy("6", encrypt_signature=True, encrypt_before_signing=order))
    report = explained(world, world.request().data).report
    assert report.accepted
    (signature,) = items(report, "Signature")
    assert signature.standing is Standing.HOLDS
    assert signature.spot is not None
    assert signature.spot.decrypted
    assert {(part.spot.line, part.spot.column) for part in signature.parts if part.spot} == {
        (signature.spot.line, signature.spot.column)
    }


def test_a_required_header_is_demanded_by_its_name():
    world = World(policy("2", signed=Parts(body=True)), soap=SOAP_12)
    report = explained(world, world.request().data).report
    assert report.accepted
    assert "SOAP 1.2" in report.circumstances[0][1]


# circumstances -------------------------------------------------------------------------------------


def test_the_clock_can_be_that_of_the_message():
    world = World("3")
    message = world.request().data
    later = world.now + timedelta(days=2)
    report = explained(world, message, now=later).report
    assert report.trouble is not None
    assert report.trouble.reason is Reason.TIMESTAMP_EXPIRED
    assert "--at message" in " ".join(report.advice)
    assert told(items(report, "Timestamp")[0])["created"].endswith("172800 s before the clock")
    assert created_of(message, Limits()) == world.now
    assert explained(world, message, now=created_of(message, Limits())).report.accepted


@pytest.mark.parametrize("damage", [b"", b"<x", b"<x/>", b"\xff\xfe"])
def test_no_time_is_read_from_what_is_no_message(damage):
    assert created_of(damage, Limits()) is None


def test_the_transport_is_what_is_said():
    world = World("1")
    message = world.request().data
    report = explained(world, message, transport=PLAIN).report
    assert report.trouble is not None
    assert report.trouble.reason is Reason.TRANSPORT
    assert report.trouble.spot is None
    assert explained(world, message, transport=SECURE).report.accepted


def test_a_context_that_has_gone_is_not_at_hand():
    world = World("15")
    message = world.request().data
    later = world.now + timedelta(hours=3)
    report = explained(world, message, now=later).report
    assert report.trouble is not None
    assert report.trouble.reason is Reason.CONTEXT_UNKNOWN
    assert explained(world, message).report.accepted


def test_a_request_for_a_context_is_explained_and_not_carried_out():
    world = World("15")
    asking = world.session.ask(version=world.soap)
    before = world.state()
    report = explained(world, asking.data).report
    assert report.accepted
    assert report.ways[0].name == "bootstrap policy"
    assert len(report.ways) > 2
    assert world.state() == before


def test_a_role_that_is_missing_is_the_step_that_fails():
    world = World("1", roles=frozenset({"admin"}))
    report = explained(world, world.request().data).report
    assert report.trouble is not None
    assert report.trouble.reason is Reason.ROLE_MISSING
    standings = {step.words: step.standing for step in report.steps}
    assert standings["The caller is known, and still who they were"] is Standing.HOLDS
    assert standings["The caller has a role that the service wants"] is Standing.FAILS
    assert [*standings.values()][-1] is Standing.OPEN
    world.users.roles = frozenset({"admin"})
    assert explained(world, world.request().data).report.accepted


def test_ids_in_doubt_are_told_with_the_last_one():
    world = World("3")
    message = world.request().data
    identifier = tree(message).xpath(BODY)[0].get(WSU_ID)
    report = explained(world, bend(message, attribute(f"{BODY}/*", WSU_ID, identifier))).report
    assert report.trouble is not None
    assert report.trouble.reason is Reason.DUPLICATE_ID
    assert report.trouble.spot is not None
    assert report.trouble.spot.path == "/Envelope/Body/echo"


def test_a_way_that_is_for_something_else_is_not_met():
    row = BY_NAME["L02 Body in clear [15]"]
    world = World(row.scenario)
    world.open()
    pending = world.request()
    report = explained(world, row.bent(world, pending)).report
    assert report.trouble is not None
    assert report.trouble.reason is Reason.WRONG_POLICY
    assert report.ways[0].name == "signed by the context"
    (failing,) = [one for one in report.ways[0].demands if one.standing is Standing.FAILS]
    assert failing.words == "What it asks for is what this way of protection is for"
    assert {one.standing for one in report.steps} == {Standing.OPEN}
    assert report.ways[0].missing == 1


def test_what_is_one_too_many_is_not_said_to_hold():
    world = World("3")
    report = explained(world, bend(world.request().data, duplicate(TIMESTAMP))).report
    first, second = items(report, "Timestamp")
    assert (first.standing, second.standing) == (Standing.HOLDS, Standing.OPEN)
    assert "too many" in told(second)["note"]


def test_a_key_of_ours_that_has_gone_is_named_with_its_state():
    world = World("6")
    message = world.request().data
    month = timedelta(days=30)
    ages = {"RETAINED": (month, month, None), "GONE": (month, month, month)}
    for state, (retired, overlap, gone) in ages.items():
        span = Lifespan(
            retired_at=world.now - retired,
            overlap_until=world.now - overlap,
            gone_at=None if gone is None else world.now - gone,
        )
        old = RingKey(issued("service").pair("old"), BOTH, span)
        new = RingKey(issued("service-new").pair("new"), BOTH)
        trust = Trust((PinnedGroup("clients", (Partner("client", (world.client.certificate,)),)),), Limits())
        world.service = replace_fields(
            world.service, snapshot=RingSnapshot(Ring("ring", (new, old)), trust, "2")
        )
        report = explained(world, message).report
        (key,) = items(report, "EncryptedKey")
        assert told(key)["our key"] == f"'old', {state.lower()}"
        assert report.accepted == (state == "RETAINED")


def test_limits_hold_here_as_well():
    world = World("3")
    message = world.request().data
    small = World("3", limits=Limits(message_bytes=len(message) - 1))
    report = explained(small, message).report
    assert report.trouble is not None
    assert report.trouble.reason is Reason.MESSAGE_TOO_LARGE
    assert report.items == ()
    enough = World("3", limits=Limits(message_bytes=len(message)))
    assert explained(enough, message).report.accepted


# partners ------------------------------------------------------------------------------------------


def _client(access: Access) -> Partners:
    return Partners([Called("acme", (certificate_identity("peers", "client"),), access={"echo": access})])


def test_what_a_partner_may_is_the_last_but_one_step():
    world = World("5", partners=_client(Access(frozenset({"erase"}))))
    message = world.request().data
    report = explained(world, message).report
    assert report.trouble is not None
    assert report.trouble.reason is Reason.PARTNER_OPERATION
    steps = {demand.words: demand.standing for demand in report.steps}
    assert steps["The partner may call this operation here"] is Standing.FAILS
    world.partners = _client(Access())
    report = explained(world, message).report
    assert report.headline == "Accepted as a call of echo by acme (certificate)."


def test_a_partners_own_way_is_named():
    world = World("5", algorithms=Algorithms(signature=alg.RSA_SHA1, digest=alg.SHA1))
    message = world.request().data
    assert explained(world, message).report.trouble.reason is Reason.ALGORITHM_NOT_IN_SUITE
    world.partners = _client(Access(None, Deviation(rsa_sha1=True)))
    report = explained(world, message).report
    assert report.trouble is None
    (closest,) = [way for way in report.ways if way.closest]
    assert closest.name == "without a conversation, for acme: rsa_sha1"
