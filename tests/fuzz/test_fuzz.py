"""The fuzzer within the time of a test: the kept corpus, a short search, and faults that it has to find."""

import dataclasses
import random
import time
from types import SimpleNamespace

import pytest

from tests.fuzz import draft, lines
from tests.fuzz import oracle as oracle_module
from tests.fuzz import search as search_module
from tests.fuzz.mutators import KITCHEN, NAMES, Cook
from tests.fuzz.oracle import Oracle
from tests.fuzz.recipe import Recipe, Step
from tests.fuzz.samples import LETTERS, Desk
from tests.fuzz.search import Search, kept_recipes
from tests.fuzz.wire import FRAMES
from wsprovider.exchange import recipient, replay
from wsprovider.header import fields
from wsprovider.inbound import closing, judge
from wsprovider.inbound.rules import signature as rules
from wsprovider.soap.fault import FaultMessage

SEED = 10
"""Of every search here; ``make fuzz`` takes a new one each time."""
SEARCH = 12.0
"""Seconds of processor time of the short search."""
UNTIL_FOUND = 60.0
"""Seconds of processor time in which a fault that was put in has to be found; most are found within one."""


@pytest.fixture(scope="module")
def oracle():
    return Oracle()


@pytest.mark.parametrize("name", LETTERS)
def test_genuine_messages_are_accepted(oracle, name):
    sample, letter = oracle.cook.samples.letter(name)
    facts = oracle.genuine(sample, letter)
    calls = letter.name in {"call", "other", "order"}
    assert (len(facts.seen) == 1) == calls
    assert not oracle.try_(Recipe(name)).findings


def test_a_genuine_message_sent_twice_is_accepted_once(oracle):
    assert oracle.try_(Recipe("8/call", delivery="twice")).outcomes == ("ANSWERED", "REPLAY")
    # nothing in a clear password over TLS tells a copy from another message
    assert oracle.try_(Recipe("1/call", delivery="twice")).outcomes == ("ANSWERED", "ANSWERED")


def test_the_kept_corpus(oracle):
    """Every recipe that found something once, and those that reach something of their own."""
    search = Search(oracle, SEED, kept_recipes())
    search.replay()
    assert search.result.executions > 50
    assert not search.result.findings, str(search.result)


def test_a_short_search(oracle):
    """Other seeds: make fuzz."""
    search = Search(oracle, SEED, kept_recipes())
    search.run(SEARCH)
    print(f"seed {SEED}:", search.result)
    assert not search.result.findings, f"seed {SEED}: {search.result}"
    assert search.result.executions > 25 * SEARCH
    assert len(oracle.reasons) > 60


# the fuzzer can fail -----------------------------------------------------------------------------------


def _digests_do_not_count(patch):
    patch.setattr(closing, "hmac", SimpleNamespace(compare_digest=lambda one, two: True))


def _replays_are_let_in(patch):
    patch.setattr(replay.Replay, "check", lambda *_: None)
    patch.setattr(replay.Replay, "remember", lambda *_: None)


def _the_body_need_not_be_signed(patch):
    patch.setattr(judge, "RULES", tuple(rule for rule in judge.RULES if rule is not rules.over_the_parts))


def _an_exception_gets_out(patch):
    def broken(uri):
        return {True: lambda: uri[1:]}[uri[:1] == "#"]()

    patch.setattr(fields, "fragment", broken)


def _the_fault_names_the_reason(patch):
    genuine = recipient.refusal

    def telling(error, version, **options):
        made = genuine(error, version, **options)
        return FaultMessage(made.data.replace(b"accepted", str(error).encode()[:5]), made.status)

    patch.setattr(recipient, "refusal", telling)


def _a_refused_message_is_remembered(patch):
    genuine = recipient.Recipient._check_age

    def early(self, stamp, now):
        self._replay._store.add_if_absent(f"early:{now}", expires=now + self._retention, now=now)
        genuine(self, stamp, now)

    patch.setattr(recipient.Recipient, "_check_age", early)


def _some_messages_take_long(patch):
    genuine = recipient.parse

    def slow(message, limits, **options):
        end = time.thread_time() + (0.5 if b"<!--" in message else 0)
        while time.thread_time() < end:
            pass
        return genuine(message, limits, **options)

    patch.setattr(oracle_module, "SLOW", 0.4)
    patch.setattr(recipient, "parse", slow)


def _a_reply_is_changed_on_its_way(patch):
    genuine = recipient.write

    def changing(*arguments):
        sent = genuine(*arguments)
        return dataclasses.replace(sent, data=sent.data.replace(b"pay alice", b"pay mallory"))

    patch.setattr(recipient, "write", changing)


def _memory_is_not_given_back(patch):
    hoard, genuine = [], recipient.parse

    def greedy(message, limits, **options):
        hoard.append(b"x" * 20_000_000)
        return genuine(message, limits, **options)

    patch.setattr(search_module, "GROWTH", 100 * 1024)
    patch.setattr(recipient, "parse", greedy)


FAULTS = {
    _digests_do_not_count: "an accepted change",
    _replays_are_let_in: "accepted twice",
    _the_body_need_not_be_signed: "a demand not met",
    _an_exception_gets_out: "failure KeyError",
    _the_fault_names_the_reason: "an unknown reply",
    _a_refused_message_is_remembered: "a refusal left a trace",
    _some_messages_take_long: "slow",
    _a_reply_is_changed_on_its_way: "a reply that its client refuses",
    _memory_is_not_given_back: "memory",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__.strip("_"))
def test_a_fault_is_found(monkeypatch, fault):
    """Without the kept corpus, within the time of a search; without the fault nothing is found (above)."""
    fault(monkeypatch)
    search = Search(Oracle(), SEED)
    wanted = FAULTS[fault]
    search.run(UNTIL_FOUND, enough=lambda result: any(kind.startswith(wanted) for kind in result.findings))
    found = [finding for kind, finding in search.result.findings.items() if kind.startswith(wanted)]
    assert found, str(search.result)
    print(search.result)
    shortened = wanted != "memory"
    assert len(found[0].recipe.steps) <= 3 or not shortened, "a finding is told by as few steps as show it"


# recipes and mutators ----------------------------------------------------------------------------------


def test_any_octets_are_a_recipe_and_text_and_octets_say_the_same():
    chance = random.Random(SEED)
    for _ in range(500):
        recipe = KITCHEN.from_octets(chance.randbytes(chance.randrange(80)))
        assert KITCHEN.from_text(str(recipe)) == recipe
        assert KITCHEN.from_octets(KITCHEN.to_octets(recipe)) == recipe


@pytest.mark.parametrize(
    "line",
    [
        "8/none once 0 none:0 |",
        "8/call once 0 none:0 | fly:0.0.0",
        "8/call once 0 odd:0 |",
        "8/call never 0 none:0 |",
    ],
)
def test_a_recipe_that_names_what_is_not_there_is_told(line):
    with pytest.raises(ValueError, match="no recipe"):
        KITCHEN.from_text(line)
    assert KITCHEN.from_text("8/call once 0 none:0 | remove:1.2.3").steps == (Step("remove", 1, 2, 3),)


@pytest.mark.parametrize("name", NAMES)
def test_each_mutator_changes_some_message(name):
    cook, chance = Cook(), random.Random(SEED)
    changed = []
    for letter in ("8/call", "1/call", "2/order", "11/renew", "5/call", "16/call"):
        genuine = cook.cook(Recipe(letter))
        for how in range(4):
            step = Step(name, chance.getrandbits(16), chance.getrandbits(16), how)
            changed.append(cook.cook(Recipe(letter, (step,))) != genuine)
    assert any(changed)


@pytest.mark.parametrize("frame", sorted(set(FRAMES) - {"none"}))
def test_each_frame_comes_to_something_else(oracle, frame):
    outcomes = {
        oracle.try_(Recipe("8/call", frame=frame, frame_how=how)).outcomes for how in range(0, 256, 5)
    }
    assert outcomes - {("ANSWERED",)} or frame in {"charset", "proxy", "scheme", "query"}


def test_a_mutator_that_has_nothing_to_do_leaves_the_message_as_it_is():
    cook = Cook()
    cooked = cook.cook(Recipe("1/call", (Step("resign-all"),)))
    assert cooked == cook.cook(Recipe("1/call"))
    assert (cooked.signed, cook.idle["resign-all"], cook.worked["resign-all"]) == (False, 1, 0)
    with pytest.raises(draft.Nothing):
        draft.pick([], 3)


def test_what_reaches_nothing_new_is_not_kept(oracle):
    one, same = Recipe("1/call", frame="method", frame_how=2), Recipe("1/other", frame="method", frame_how=2)
    assert lines.worth_keeping([one], []) == [one]
    assert lines.worth_keeping([same], [one]) == []
    assert "inbound" in lines.reached([one])
    assert Desk.seen == []
