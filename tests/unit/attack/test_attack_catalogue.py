"""The variants: each bends a message of the scenarios it says something of, and is refused for a fitting reason."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tests.attacks.test_catalogue import CATALOGUE
from tests.simulator.attacked import Attacked
from tests.simulator.world import World
from wsprovider.attack.bend import Unbendable
from wsprovider.attack.caller import Step
from wsprovider.attack.catalogue import GROUPS, VARIANTS
from wsprovider.attack.runner import Report, Row, Runner
from wsprovider.attack.variants import Sender
from wsprovider.attack.verdict import Outcome
from wsprovider.scenarios.catalogue import SCENARIOS
from wsprovider.words.reasons import Reason

NUMBERS = tuple(scenario.number for scenario in SCENARIOS)
# how many variants say something of the calls, and of the openings, of each scenario
COUNTS = {
    "1": (191, 0),
    "2": (320, 0),
    "3": (317, 0),
    "4": (345, 0),
    "5": (368, 0),
    "6": (372, 0),
    "7": (355, 0),
    "8": (382, 0),
    "9": (328, 380),
    "10": (356, 380),
    "11": (383, 380),
    "12": (328, 397),
    "13": (383, 397),
    "13e": (356, 397),
    "14": (356, 407),
    "15": (383, 407),
    "16": (318, 0),
}
SAMPLES = {
    "J01 older than a message may be": {Reason.TIMESTAMP_EXPIRED},
    "J01 of the future": {Reason.TIMESTAMP_FUTURE},
    "J01 no Timestamp": {Reason.TIMESTAMP_MISSING, Reason.SIGNATURE_STRUCTURE},
    "F06 the Timestamp not signed": {Reason.TIMESTAMP_NOT_SIGNED, Reason.SIGNATURE_STRUCTURE},
    "F06 the Body not signed": {Reason.BODY_NOT_SIGNED},
    "E12 Transform XPath": {Reason.TRANSFORM_NOT_ALLOWED},
    "H08 a hundred References": {Reason.TOO_MANY_REFERENCES},
    "I13 the plaintext is what breaks out of the Body": {Reason.DECRYPTED_STRUCTURE},
    "I16 the Body in clear": {Reason.BODY_NOT_ENCRYPTED, Reason.WRONG_POLICY},
    "K09 an unknown user": {Reason.USER_UNKNOWN},
    "K09 a wrong password": {Reason.PASSWORD_WRONG},
    "G01 signed by such a key, under our own name": {
        Reason.CERTIFICATE_NOT_TRUSTED,
        Reason.UNRESOLVED_REFERENCE,
    },
    "J03 the same message with white space": {Reason.REPLAY},
    "N06 the ticket of an accepted message over another Body": {Reason.REPLAY},
    "N03 a ticket named by its hash that was never shown": {Reason.TICKET_UNKNOWN},
    "L12 OnBehalfOf": {Reason.TRUST_UNSUPPORTED},
    "L02 a call under the bootstrap policy": {Reason.WRONG_POLICY},
    "A08 one element too many": {Reason.TOO_MANY_ELEMENTS},
}
"""Rows that mean something only if these very Reasons refuse them, in whichever scenarios they apply to."""


def world(number: str, *, digest: bool = False) -> World:
    """Both engines need not be asked: other tests have them agree."""
    return World(number, digest=digest, clear_password_over_http=True, opinion=None, client_opinion=None)


@cache
def attacked(number: str) -> tuple[Report, dict[tuple[Step, str], Reason | None], Attacked]:
    """One whole self-test: its report, why the service refused each variant, and the service."""
    service = Attacked(world(number))
    reasons: dict[tuple[Step, str], Reason | None] = {}

    def tell(row: Row) -> None:
        if row.status is not None:
            reasons[row.step, row.variant.name] = service.reasons[-1]

    report = Runner(service.caller(), service.post, slow=60, tell=tell).run(VARIANTS)
    return report, reasons, service


@pytest.mark.parametrize("number", NUMBERS)
def test_everything_is_refused_and_good_messages_are_not(number):
    report, reasons, service = attacked(number)
    assert report.no_verdict is None
    assert report.findings == []
    assert report.exit_code == 0
    assert None not in reasons.values()
    assert 0 < service.calls <= report.good
    assert service.world.store.totals("context", now=service.world.now).live == 0


@pytest.mark.parametrize("number", NUMBERS)
def test_so_many_say_something_of_each_scenario(number):
    report, _, _ = attacked(number)
    sent = Counter(row.step for row in report.rows if row.verdict.outcome is not Outcome.NOT_APPLICABLE)
    assert (sent[Step.CALL], sent[Step.OPENING]) == COUNTS[number]


@pytest.mark.parametrize("number", NUMBERS)
def test_each_changes_the_message(number):
    service = Attacked(world(number))
    caller = service.caller()
    caller.open(service.post)
    for step in caller.steps:
        for variant in VARIANTS:
            genuine = caller.genuine(step)
            try:
                letter = variant.made(genuine)
            except Unbendable:
                continue
            assert variant.again or letter != genuine.letter, variant.name


@pytest.mark.parametrize("name", SAMPLES)
def test_the_reason_is_the_one_that_is_meant(name):
    found = {
        reasons[key]
        for number in NUMBERS
        for reasons in [attacked(number)[1]]
        for key in reasons
        if key[1] == name
    }
    assert found == SAMPLES[name]


def test_each_says_something_of_some_scenario():
    said = {name for number in NUMBERS for _, name in attacked(number)[1]}
    digests = {variant.name for variant in VARIANTS if variant.entry in {"K05", "K06"}}
    assert {variant.name for variant in VARIANTS} - said == digests


def test_password_digests_are_bent_as_well():
    service = Attacked(world("1", digest=True), digest=True)
    report = service.run(VARIANTS)
    assert report.exit_code == 0
    sent = {row.variant.entry for row in report.rows if row.status is not None}
    assert {"K05", "K06", "J03"} <= sent


def test_nothing_secret_is_in_a_repr():
    for number in ("1", "8", "15", "16"):
        service = Attacked(world(number))
        caller = service.caller()
        caller.open(service.post)
        for step in caller.steps:
            genuine = caller.genuine(step)
            shown = repr((caller.ourselves, genuine, genuine.letter))
            assert "'secret'" not in shown
            assert ">secret<" not in shown
            if number != "1":
                assert repr(genuine.secret)[2:-1] not in shown


def test_the_page_says_how_many_there_are():
    page = (Path(__file__).resolve().parents[3] / "docs" / "self-test.md").read_text()
    assert f"{len(VARIANTS)} variants in all" in page
    plain = [number for number in NUMBERS if COUNTS[number][1] == 0]
    cells = "".join(f" {COUNTS[number][0]} |" for number in plain)
    assert f"| variants |{cells}" in page
    sums = [sum(COUNTS[number]) for number in NUMBERS if number not in plain]
    assert f"{min(sums)} to {max(sums)} variants" in page


def test_names_tell_them_apart_and_entries_are_the_catalogues():
    names = Counter(variant.name for variant in VARIANTS)
    assert [name for name, count in names.items() if count > 1] == []
    for variant in VARIANTS:
        assert re.fullmatch(r"[A-P]\d\d", variant.entry)
        assert variant.entry[0] in GROUPS
        assert int(variant.entry[1:]) <= CATALOGUE.get(variant.entry[0], 13)


def test_every_group_has_some_by_strangers_and_by_partners():
    groups = {variant.entry[0] for variant in VARIANTS}
    assert groups == set(GROUPS)
    partners = {variant.entry[0] for variant in VARIANTS if variant.sender is Sender.PARTNER}
    assert {"C", "D", "F", "G", "H", "I", "J", "K", "L", "N"} <= partners
