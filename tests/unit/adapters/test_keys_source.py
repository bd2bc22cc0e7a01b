"""Following a folder: swaps, broken rings, one look per interval, many threads."""

import threading
from pathlib import Path

import pytest

from tests.simulator import pki
from wsprovider.adapters.keys.folder import load
from wsprovider.adapters.keys.reading import Reader
from wsprovider.adapters.keys.source import SnapshotSource
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.limits import Limits

ONE, TWO = pki.self_signed("CN=one"), pki.self_signed("CN=two")
RING = '[[key]]\nname = "{0}"\npurposes = ["sign", "decrypt"]\nkey = "{0}.key"\ncertificate = "{0}.cert"\n'

SEAL = '[[seal]]\nname = "1"\nfile = "1.seal"\n'


class Watched:
    def __init__(self, tmp_path: Path, *, sealing: bool = False) -> None:
        self.folder = tmp_path / "keys"
        self.seconds = 0.0
        self.swaps: list = []
        self.failures: list[ConfigurationError] = []
        (self.folder / "service").mkdir(parents=True)
        (self.folder / "trust" / "g").mkdir(parents=True)
        for name, holder in (("one", ONE), ("two", TWO)):
            self.put(f"service/{name}.key", holder.key_pem)
            self.put(f"service/{name}.cert", holder.cert_pem)
        self.put("service/1.seal", "ab" * 32)
        self.put("service/ring.toml", RING.format("one") + SEAL)
        self.source = SnapshotSource(
            self.folder,
            "service",
            ["g"],
            limits=Limits(),
            environ={},
            clock=lambda: pki.NOW,
            monotonic=lambda: self.seconds,
            sealing=sealing,
            interval=5,
            on_swap=self.swaps.append,
            on_failure=self.failures.append,
        )

    def put(self, name, content):
        staged = self.folder / "staged"
        staged.write_bytes(content.encode() if isinstance(content, str) else content)
        staged.chmod(0o600)
        staged.rename(self.folder / name)

    def signs(self):
        return self.source().signing_key(pki.NOW).name


@pytest.fixture
def watched(tmp_path):
    return Watched(tmp_path)


def test_a_new_ring_is_noticed_after_the_interval(watched):
    before = watched.source()
    watched.put("service/ring.toml", RING.format("two"))
    assert watched.signs() == "one"
    watched.seconds = 5
    assert watched.signs() == "two"
    assert before.signing_key(pki.NOW).name == "one", "a message keeps what it began with"
    assert before.version != watched.source().version
    assert (len(watched.swaps), watched.failures) == (1, [])


def test_nothing_changed_nothing_swapped(watched):
    before = watched.source()
    watched.seconds = 100
    assert watched.source() is before
    assert watched.swaps == []


def test_the_files_are_looked_at_once_an_interval(watched, monkeypatch):
    looks = []
    monkeypatch.setattr(Reader, "changed", lambda reader: bool(looks.append(watched.seconds)))
    for second in (1, 4, 5, 6, 9, 10, 14, 15):
        watched.seconds = second
        watched.source()
    assert looks == [5, 10, 15]


def test_new_partners_are_noticed(watched):
    assert watched.source().trusts_nobody
    watched.put("trust/g/two.pem", TWO.cert_pem)
    watched.seconds = 5
    assert watched.source().trust(TWO.certificate, (), pki.NOW).partner == "two"
    (watched.folder / "trust/g/two.pem").unlink()
    watched.seconds = 10
    assert watched.source().trusts_nobody


def test_a_broken_ring_leaves_the_old_one_and_is_told_once(watched):
    before = watched.source()
    watched.put("service/ring.toml", "nonsense")
    for second in (5, 10, 15):
        watched.seconds = second
        assert watched.source() is before
    assert len(watched.failures) == 1
    watched.put("service/ring.toml", RING.format("three"))
    watched.seconds = 20
    assert watched.source() is before
    assert len(watched.failures) == 2
    watched.put("service/three.key", TWO.key_pem)  # the very file that was missing
    watched.put("service/three.cert", TWO.cert_pem)
    watched.seconds = 25
    assert watched.signs() == "three"
    assert len(watched.failures) == 2


def test_a_ring_that_vanishes_leaves_the_old_one(watched):
    (watched.folder / "service" / "ring.toml").unlink()
    watched.seconds = 5
    assert watched.signs() == "one"
    assert len(watched.failures) == 1


@pytest.mark.parametrize("sealing", [True, False])
def test_a_ring_that_loses_its_seal_key_is_taken_over_only_where_none_is_needed(tmp_path, sealing):
    watched = Watched(tmp_path, sealing=sealing)
    watched.put("service/ring.toml", RING.format("two"))
    watched.seconds = 5
    assert watched.signs() == ("one" if sealing else "two")
    assert len(watched.failures) == sealing
    watched.put("service/ring.toml", RING.format("two") + SEAL)
    watched.seconds = 10
    assert watched.signs() == "two"
    assert len(watched.failures) == sealing


@pytest.mark.parametrize(("ring", "problem"), [("", "wsprovider keys new 2026 --purpose seal"), (SEAL, None)])
def test_the_first_load_must_bring_a_seal_key_where_one_is_needed(tmp_path, ring, problem):
    reader = Reader(Watched(tmp_path).folder, {})
    (tmp_path / "keys" / "service" / "ring.toml").write_text(RING.format("one") + ring)

    def first():
        return load(reader, "service", [], limits=Limits(), now=pki.NOW, sealing=True)

    if problem is None:
        assert first().seals.sealing(pki.NOW).name == "1"
        return
    with pytest.raises(ConfigurationError) as caught:
        first()
    (one,) = caught.value.problems
    assert one.where == "keys/service/ring.toml"
    assert problem in one.what


def test_the_first_load_must_hold(tmp_path):
    with pytest.raises(ConfigurationError):
        SnapshotSource(
            tmp_path, "none", [], limits=Limits(), environ={}, clock=lambda: pki.NOW, monotonic=lambda: 0.0
        )


def test_many_threads_see_one_or_the_other(watched):
    names, stop = set(), threading.Event()

    def ask():
        while not stop.is_set():
            watched.seconds += 1
            names.add(watched.signs())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for one in threads:
        one.start()
    for name in ("two", "one", "two"):
        swaps = len(watched.swaps)
        watched.put("service/ring.toml", RING.format(name))
        for _ in range(2000):
            if len(watched.swaps) > swaps:
                break
            stop.wait(0.005)
    stop.set()
    for one in threads:
        one.join()
    assert names == {"one", "two"}
    assert watched.failures == []
    assert watched.signs() == "two"


def test_a_ring_that_endpoints_cannot_use_is_not_taken_over(watched):
    watched.source.demand(lambda snapshot, now: ["no"] if snapshot.signing_key(now).name == "two" else [])
    watched.put("service/ring.toml", RING.format("two"))
    watched.seconds = 5
    assert watched.signs() == "one"
    assert [problem.what for error in watched.failures for problem in error.problems] == ["no"]
    assert watched.source.failed
    watched.put("service/ring.toml", "# a comment\n" + RING.format("one"))
    watched.seconds = 10
    assert watched.signs() == "one"
    assert not watched.source.failed
