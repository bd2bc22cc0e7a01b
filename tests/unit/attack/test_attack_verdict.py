"""What an answer says: each kind of refusal, and each kind of finding."""

import json

import pytest
from lxml import etree

from tests.simulator.world import World
from wsprovider.attack.caller import Step
from wsprovider.attack.catalogue import VARIANTS
from wsprovider.attack.line import Answer
from wsprovider.attack.report import document, junit, line, lines
from wsprovider.attack.runner import Report, Row
from wsprovider.attack.variants import Answers
from wsprovider.attack.verdict import Outcome, Verdict, verdict
from wsprovider.soap.fault import refusal
from wsprovider.soap.version import SOAP_11, SOAP_12
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import SoapError, SoapFault, WSSecurityError
from wsprovider.words.reasons import Reason

UNIFORM = WSSecurityError(Reason.SIGNATURE_VALUE)
CLIENT = SoapError(SoapFault.CLIENT, Reason.SOAP_STRUCTURE)


def answer(error, version=SOAP_11):
    fault = refusal(error, version)
    return Answer(fault.status, version.content_type, fault.data)


@pytest.mark.parametrize("wanted", Answers)
@pytest.mark.parametrize("version", [SOAP_11, SOAP_12])
def test_the_uniform_fault_is_always_right(wanted, version):
    assert verdict(answer(UNIFORM, version), wanted).outcome is Outcome.REFUSED


@pytest.mark.parametrize("fault", [one for one in SoapFault if one is not SoapFault.SERVER])
@pytest.mark.parametrize("namespace", [None, ns.WSC_200502, ns.WST_200502])
def test_documented_faults_are_right_where_they_are_expected(fault, namespace):
    if namespace is not None and fault.value in ("Client", "VersionMismatch", "MustUnderstand"):
        return
    named = namespace if fault in (SoapFault.BAD_CONTEXT_TOKEN, SoapFault.INVALID_REQUEST) else None
    given = answer(SoapError(fault, Reason.SOAP_STRUCTURE, namespace=named))
    assert verdict(given, Answers.DOCUMENTED) == Verdict(Outcome.OTHERWISE, fault.value)
    assert verdict(given, Answers.UNIFORM).outcome is Outcome.LEAK


def test_an_internal_error_is_no_answer():
    assert verdict(answer(RuntimeError("x")), Answers.ANY).outcome is Outcome.NO_ANSWER


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, b"", Outcome.ACCEPTED),
        (302, b"", Outcome.ACCEPTED),
        (400, b"<html><h1>Bad Request</h1></html>", Outcome.OTHERWISE),
        (405, b"Method Not Allowed", Outcome.OTHERWISE),
        (413, b"", Outcome.OTHERWISE),
        (501, b"Unsupported transfer coding", Outcome.OTHERWISE),
        (500, b"<h1>Internal Server Error</h1>", Outcome.NO_ANSWER),
        (502, b"Bad Gateway", Outcome.NO_ANSWER),
        (400, b"ValueError: bad length", Outcome.LEAK),
        (400, b"see /usr/lib/python3/x", Outcome.LEAK),
        (400, b"  File wsgi.py", Outcome.LEAK),
        (400, b"REPLAY", Outcome.LEAK),
        (400, b"unknown element {urn:wsprovider:attack}x", Outcome.LEAK),
        (500, b"Traceback (most recent call last)", Outcome.LEAK),
    ],
)
def test_answers_without_a_fault(status, body, outcome):
    assert verdict(Answer(status, "text/html", body), Answers.ANY).outcome is outcome


def test_a_protected_fault_is_an_acceptance():
    world = World("3")
    reply = world.call().reply
    assert verdict(Answer(500, "text/xml", reply), Answers.ANY).outcome is Outcome.ACCEPTED


def test_what_a_peer_says_is_bounded_and_moves_no_cursor():
    body = refusal(CLIENT, SOAP_11).data.replace(b"The message", b"\xc2\x9b2J" + b"x" * 5_000)
    note = verdict(Answer(500, "text/xml", body), Answers.ANY).note
    assert "\x9b" not in note
    assert len(note) < 250


# the report --------------------------------------------------------------------------------------


@pytest.fixture
def report():
    """One of each kind."""
    rows = [
        Row(VARIANTS[0], Step.CALL, Verdict(Outcome.REFUSED), 500, 0.001),
        Row(VARIANTS[1], Step.CALL, Verdict(Outcome.LEAK, "\x1b[2J"), 500, 0.001),
        Row(VARIANTS[2], Step.OPENING, Verdict(Outcome.NOT_APPLICABLE, "no signature")),
    ]
    return Report(rows, good=7, usual=0.002)


def test_lines_say_what_was_found(report):
    said = list(lines(report))
    assert said[0].split() == ["refused", "otherwise", "ACCEPTED", "SLOW", "NO", "ANSWER", "LEAK", "n/a"]
    assert said[1].split() == ["A", "documents", "and", "parsers", "1", "-", "-", "-", "-", "1", "1"]
    assert said[-2] == line(report.rows[1])
    assert said[-1] == "1 finding in 2 variants; 7 good messages were accepted, 2.0 ms each"


def test_the_last_sentence_where_nothing_was_found(report):
    del report.rows[1]
    assert list(lines(report))[-1].startswith("all 1 variants were refused; 7 good messages")
    assert report.exit_code == 0
    report.no_verdict = "the good call is not accepted"
    assert list(lines(report))[-1].startswith("no verdict: the good call is not accepted (0 findings in 1")
    assert report.exit_code == 3


def test_json_says_the_same(report):
    told = json.loads(document(report))
    assert (told["exit_code"], told["findings"], told["good_messages"]) == (1, 1, 7)
    assert [row["outcome"] for row in told["rows"]] == ["refused", "leak", "not_applicable"]
    assert told["rows"][0]["entry"] == VARIANTS[0].entry


def test_junit_says_the_same(report):
    report.no_verdict = "the good call is not accepted"
    suite = etree.fromstring(junit(report, "echo"))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "1", "1")
    assert [[child.tag for child in case] for case in suite] == [[], ["failure"], ["skipped"], ["error"]]
    assert suite[1][0].get("message") == "\\x1b[2J"
