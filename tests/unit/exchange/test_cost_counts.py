"""Nothing is parsed, canonicalised, unwrapped or derived twice: calls are counted, times are not."""

import argparse
from collections import Counter
from types import SimpleNamespace

import pytest
from lxml import etree

from benchmarks import cost, payloads
from benchmarks.exchanges import Exchanges
from tests.simulator.world import World, reply_body
from wsprovider.adapters.shared.memory import MemoryStore
from wsprovider.conversation import contexts
from wsprovider.crypto import algorithms
from wsprovider.inbound import decrypting, examine, keys, opening
from wsprovider.outbound import body as out_body
from wsprovider.outbound import keys as out_keys
from wsprovider.outbound import signing
from wsprovider.policy.read import read_policy
from wsprovider.xml import canonical, parse, splice

CONVERSATIONS = {"9", "10", "11", "12", "13", "13e", "14", "15"}
ENCRYPTED = {"4", "5", "6", "7", "8"} | CONVERSATIONS - {"9", "12"}
SYMMETRIC = {"3", "4", "6", "7", "8"} | CONVERSATIONS
DERIVED = "services/echo/policies/derived-keys.xml"
SIGNED = {"2", "3", "4", "5", "6", "7", "8"} | CONVERSATIONS


class Counts:
    """Calls of the expensive primitives, by name."""

    def __init__(self):
        self.calls = Counter()
        self.canonicalised = Counter()
        self.kept = []

    def count(self, patch, owner, name, key=None):
        original = getattr(owner, name)

        def counted(*args, **kwargs):
            self.calls[key or name] += 1
            return original(*args, **kwargs)

        patch.setattr(owner, name, counted)

    def count_lxml(self, patch):
        """Parsing and canonical form as lxml is asked for them, by whichever module of ours."""

        def fromstring(data, *args, **kwargs):
            self.calls["parse"] += 1
            return etree.fromstring(data, *args, **kwargs)

        def tostring(element, *args, **kwargs):
            self.calls["serialise"] += 1
            return etree.tostring(element, *args, **kwargs)

        def canonical_tree(element):
            self.calls["c14n"] += 1
            self.kept.append(element)  # so that no other element takes its identity
            self.canonicalised[element] += 1
            return etree.ElementTree(element)

        own = {"fromstring": fromstring, "tostring": tostring, "ElementTree": canonical_tree}
        spy = SimpleNamespace(**{**vars(etree), **own})
        for module in (parse, canonical, splice, out_body):
            patch.setattr(module, "etree", spy)


@pytest.fixture
def counts(monkeypatch):
    found = Counts()
    found.count_lxml(monkeypatch)
    found.count(monkeypatch, keys, "unwrap_key")
    found.count(monkeypatch, keys, "p_sha1")
    found.count(monkeypatch, out_keys, "p_sha1")
    found.count(monkeypatch, out_keys, "wrap_key")
    found.count(monkeypatch, opening, "verify_asymmetric")
    found.count(monkeypatch, opening, "verify_symmetric")
    found.count(monkeypatch, signing, "sign_asymmetric")
    found.count(monkeypatch, signing, "sign_symmetric")
    found.count(monkeypatch, examine, "collect", "ids")
    found.count(monkeypatch, decrypting, "decrypt_alike", "decrypt")
    found.count(monkeypatch, algorithms.DigestRow, "digest")
    return found


def accepted(world, counts):
    """One request accepted; what preparing it cost is forgotten."""
    if world.conversation:
        world.call("before")  # opened, and used for the first time
    message = world.request("hello").data
    references = message.count(b"<ds:Reference ")
    counts.__dict__.update(calls=Counter(), canonicalised=Counter())
    return world.accept(message), references


@pytest.mark.parametrize("number", sorted(SIGNED | {"1"}))
def test_a_request_costs_each_step_once(number, counts):
    world = World(number, clear_password_over_http=True, opinion=None, client_opinion=None)
    verified, references = accepted(world, counts)
    signed, encrypted, symmetric = number in SIGNED, number in ENCRYPTED, number in SYMMETRIC
    rounds = 1 + encrypted
    parts = len(verified.evidence.decryptions)
    assert counts.calls["parse"] == rounds
    assert counts.calls["ids"] == rounds
    assert counts.calls["serialise"] == (1 if encrypted else 0)
    transported = (symmetric or encrypted) and number not in CONVERSATIONS
    assert counts.calls["unwrap_key"] == (1 if transported else 0)
    assert counts.calls["verify_asymmetric"] == (1 if signed and not symmetric else 0)
    assert counts.calls["verify_symmetric"] == (1 if signed and symmetric else 0)
    assert counts.calls["decrypt"] == parts
    assert parts == {"7": 2, "8": 2}.get(number, 1 if encrypted else 0)
    assert counts.calls["digest"] == signature_parts(verified) == references
    assert counts.calls["c14n"] == (1 + signature_parts(verified) if signed else 0)
    assert set(counts.canonicalised.values()) <= {1}
    assert counts.calls["p_sha1"] == 0


@pytest.mark.parametrize("number", sorted(SIGNED | {"1"}))
def test_a_reply_costs_each_step_once(number, counts):
    world = World(number, clear_password_over_http=True, opinion=None, client_opinion=None)
    verified, _ = accepted(world, counts)
    counts.__dict__.update(calls=Counter(), canonicalised=Counter())
    reply = world.recipient.reply(verified, reply_body(world.soap, "hello")).data
    signed, symmetric = number in SIGNED, number in SYMMETRIC
    assert counts.calls["c14n"] == 1
    assert counts.calls["parse"] == counts.calls["serialise"] == 0
    assert counts.calls["sign_asymmetric"] == (1 if signed and not symmetric else 0)
    assert counts.calls["sign_symmetric"] == (1 if signed and symmetric else 0)
    assert counts.calls["wrap_key"] == (1 if number == "5" else 0)
    assert counts.calls["unwrap_key"] == counts.calls["p_sha1"] == 0
    assert counts.calls["digest"] == reply.count(b"<ds:Reference ")


def test_a_derived_key_is_derived_once(counts, root):
    policy = read_policy((root / DERIVED).read_bytes(), where=DERIVED)
    world = World(policy, opinion=None, client_opinion=None)
    verified, _ = accepted(world, counts)
    derived = len(verified.evidence.candidates.derived_keys)
    assert derived == 2
    assert counts.calls["p_sha1"] == derived
    assert counts.calls["unwrap_key"] == 1


@pytest.mark.parametrize("number", sorted(CONVERSATIONS))
def test_a_context_is_unsealed_once(number, monkeypatch):
    """A worker asks the store with every message, and opens what it finds there once."""
    counts = Counts()
    counts.count(monkeypatch, contexts, "unseal")
    counts.count(monkeypatch, MemoryStore, "record")
    counts.count(monkeypatch, MemoryStore, "replace")
    world = World(number, opinion=None, client_opinion=None)
    world.call("first")
    world.call("second")  # the first one's use has changed the record
    counts.calls.clear()
    for text in ("third", "fourth", "fifth"):
        world.call(text)
    assert counts.calls["record"] == 3
    assert counts.calls["unseal"] == counts.calls["replace"] == 0


def signature_parts(verified):
    return sum(len(fact.signature.references) for fact in verified.evidence.signatures)


@pytest.fixture
def root(request):
    return request.config.rootpath


@pytest.mark.parametrize("number", sorted(SIGNED | {"1"}))
@pytest.mark.parametrize("suite", [None, "Basic256"])
def test_the_floor_of_the_benchmarks_does_the_same_work(number, suite):
    exchanges = Exchanges(number, payloads.text(100), suite=suite)
    (message,) = exchanges.make(1)
    body = exchanges.floor.request(message)[1]
    assert etree.tostring(body, method="c14n", exclusive=True) == etree.tostring(
        exchanges.world.accept(message).body, method="c14n", exclusive=True
    )
    assert exchanges.floor.reply(exchanges.body)


def test_the_benchmarks_run(capsys):
    parser = argparse.ArgumentParser()
    cost.add_arguments(parser)
    cost.run(
        parser.parse_args(["--payload", "elements", "--scenario", "8", "--rounds", "1", "--requests", "1"])
    )
    assert "\n| 8 | " in capsys.readouterr().out
