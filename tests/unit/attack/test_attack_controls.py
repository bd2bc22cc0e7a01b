"""Services that do not refuse as they should are found out, and one that refuses everything gives no verdict."""

from dataclasses import replace

import pytest

from tests.simulator.attacked import Attacked
from tests.simulator.world import World
from wsprovider.attack.catalogue import VARIANTS
from wsprovider.attack.line import Answer, Lost
from wsprovider.attack.runner import PATIENCE, Runner
from wsprovider.attack.verdict import Outcome
from wsprovider.soap.version import SOAP_11
from wsprovider.words.errors import SoapError, SoapFault
from wsprovider.words.reasons import Reason

SOME = tuple(one for one in VARIANTS if one.entry[0] in "DJ")
FAULT = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Server</faultcode>'
    b"<faultstring>%s</faultstring></s:Fault></s:Body></s:Envelope>"
)


def spoilt(how, *, number="3", good=True, variants=SOME, slow=60):
    """The report on a service whose refusals become something else.

    Args:
        how: makes another answer of a refusal.
        good: good messages stay accepted.
    """
    service = Attacked(World(number, opinion=None, client_opinion=None))

    def post(letter):
        answer = service.post(letter)
        return answer if answer.status == 200 and good else how(answer)

    return Runner(service.caller(), post, slow=slow).run(variants)


def outcomes(report):
    return {row.verdict.outcome for row in report.rows} - {Outcome.NOT_APPLICABLE}


def test_one_that_refuses_as_it_should():
    report = spoilt(lambda answer: answer)
    assert report.exit_code == 0
    assert outcomes(report) <= {Outcome.REFUSED, Outcome.OTHERWISE}


@pytest.mark.parametrize("status", [200, 202, 302])
def test_one_that_accepts_everything(status):
    report = spoilt(lambda _: Answer(status, "text/xml", b"<done/>"))
    assert report.exit_code == 1
    assert outcomes(report) == {Outcome.ACCEPTED}


def test_one_that_accepts_stale_messages_only():
    service = Attacked(World("3", opinion=None, client_opinion=None))
    allowed = service.world.settings.freshness
    caller = service.caller()
    service.world.recipient = service.world.make_recipient(
        replace(service.world.settings, freshness=replace(allowed, life=allowed.life * 100_000))
    )
    report = Runner(caller, service.post, slow=60).run(SOME)
    assert [row.variant.what for row in report.findings] == ["older than a message may be"]


def test_one_that_forgets_what_it_accepted():
    service = Attacked(World("3", opinion=None, client_opinion=None))

    def post(letter):
        service.world.store._expiries.clear()
        return service.post(letter)

    report = Runner(service.caller(), post, slow=60).run(SOME)
    assert {row.variant.entry for row in report.findings} == {"J03"}
    assert {row.verdict.outcome for row in report.findings} == {Outcome.ACCEPTED}


@pytest.mark.parametrize(
    "said", [b"SIGNATURE_VALUE", b"The signature did not hold", b"Traceback (most recent call last)"]
)
def test_one_that_says_why(said):
    report = spoilt(lambda _: Answer(500, "text/xml", FAULT % said))
    assert report.exit_code == 1
    assert outcomes(report) == {Outcome.LEAK}


def test_one_whose_fault_differs_by_a_byte():
    report = spoilt(lambda answer: replace(answer, body=answer.body.replace(b"accepted.", b"accepted")))
    assert report.exit_code == 1
    assert Outcome.LEAK in outcomes(report)


def test_one_that_tells_what_is_stale_from_what_is_forged():
    service = Attacked(World("3", opinion=None, client_opinion=None))
    client = SoapError(SoapFault.CLIENT, Reason.SOAP_STRUCTURE)

    def post(letter):
        answer = service.post(letter)
        told = service.world.recipient.refuse(client, version=SOAP_11).data
        return replace(answer, body=told) if service.reasons[-1] is Reason.TIMESTAMP_EXPIRED else answer

    report = Runner(service.caller(), post, slow=60).run(SOME)
    assert {row.verdict.outcome for row in report.findings} == {Outcome.LEAK}
    assert {row.variant.what for row in report.findings} == {
        "older than a message may be",
        "expired by its own word",
    }


def test_one_that_breaks_off():
    def lost(_):
        raise Lost("ConnectionResetError")

    report = spoilt(lost)
    assert report.exit_code == 1
    assert outcomes(report) == {Outcome.NO_ANSWER}
    assert len(report.findings) == PATIENCE
    assert "enough" in report.no_verdict


def test_one_that_fails_without_a_fault():
    report = spoilt(lambda _: Answer(500, "text/html", b"<h1>Internal Server Error</h1>"))
    assert outcomes(report) == {Outcome.NO_ANSWER}


def test_one_that_is_slow_to_refuse():
    report = spoilt(lambda answer: replace(answer, seconds=2.0), slow=1)
    assert outcomes(report) == {Outcome.SLOW}
    assert "s are usual" in report.findings[0].verdict.note


def test_one_that_was_slow_once_is_asked_again():
    times = iter([2.0])
    report = spoilt(lambda answer: replace(answer, seconds=next(times, 0.0)), slow=1)
    assert report.exit_code == 0


@pytest.mark.parametrize("number", ["3", "15"])
def test_one_that_refuses_everything(number):
    uniform = Attacked(World("3")).world.recipient.refuse(RuntimeError(), version=SOAP_11)
    report = spoilt(lambda _: Answer(500, "text/xml", uniform.data), number=number, good=False)
    assert report.exit_code == 3
    assert report.rows == []
    assert report.no_verdict


def test_one_that_is_not_there():
    def lost(_):
        raise Lost("ConnectionRefusedError")

    report = spoilt(lost, good=False)
    assert report.exit_code == 3
    assert "is not answered: ConnectionRefusedError" in report.no_verdict


def test_one_that_stops_taking_good_messages():
    service = Attacked(World("3", opinion=None, client_opinion=None))

    def post(letter):
        if len(service.reasons) > 20:
            raise Lost("ConnectionRefusedError")
        return service.post(letter)

    report = Runner(service.caller(), post, slow=60).run(SOME)
    assert report.exit_code == 1
    assert report.findings[0].verdict.outcome is Outcome.NO_ANSWER
    assert "the good call is not answered" in report.no_verdict


def test_changes_of_a_partner_are_left_out_where_a_harmless_one_is_refused():
    service = Attacked(World("3", opinion=None, client_opinion=None))
    caller = service.caller()

    def post(letter):
        forged = b"11:59:55" in letter.body
        return (
            replace(service.post(letter), status=500, body=FAULT % b"x") if forged else service.post(letter)
        )

    report = Runner(caller, post, slow=60).run([one for one in SOME if one.entry == "J01"])
    told = {row.verdict.note for row in report.rows if row.verdict.outcome is Outcome.NOT_APPLICABLE}
    assert any("a harmless change does not hold" in one for one in told)
