"""What every archive store promises (wsprovider.archive.store.Store), on each of them, and what its chain tells.

A new store joins by one more class in ``KINDS``.
"""

import multiprocessing
import os
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from tests.live.postgres import Postgres
from tests.simulator.archived import CHAIN, Archived
from tests.simulator.world import World
from wsprovider.adapters.databases import Database
from wsprovider.archive.record import Kind, Link, Record, make, read_frame
from wsprovider.archive.store import open_store
from wsprovider.archive.verifying import Head
from wsprovider.keyring.lifecycle import Lifespan
from wsprovider.keyring.ring import SealKey, SealKeys
from wsprovider.words.errors import BackendError

DAY = 86_400
PROCESSES = 4


class Place:
    """A kind of store, and a way past it: what somebody does who has the disk."""

    location: str

    def rewrite(self, segment: str, frames: list[bytes]) -> None:
        """Put other records into a segment."""
        raise NotImplementedError

    def frames(self, segment: str) -> list[bytes]:
        with closing(open_store(self.location, CHAIN)) as store:
            return [record.frame for record in store.records(segment)]


class Folder(Place):
    def __init__(self, folder: Path) -> None:
        self.location = str(folder / "archive")

    def rewrite(self, segment: str, frames: list[bytes]) -> None:
        (Path(self.location) / CHAIN / f"{segment}.records").write_bytes(b"".join(frames))


class Sqlite(Place):
    def __init__(self, folder: Path) -> None:
        self.location = f"sqlite:///{folder / 'archive.sqlite3'}"

    def rewrite(self, segment: str, frames: list[bytes]) -> None:
        import sqlalchemy as sql

        database = Database(self.location, where="test")
        with database.transaction() as connection:
            chosen = "wsprovider_archive_record WHERE segment = :segment"
            begin = connection.execute(
                sql.text(f"SELECT min(sequence) FROM {chosen}"), {"segment": segment}
            ).scalar()
            connection.execute(sql.text(f"DELETE FROM {chosen}"), {"segment": segment})
            for number, frame in enumerate(frames):
                connection.execute(
                    sql.text(
                        "INSERT INTO wsprovider_archive_record VALUES (:chain, :number, :segment, :frame)"
                    ),
                    {"chain": CHAIN, "number": begin + number, "segment": segment, "frame": frame},
                )
        database.close()


class Postgresql(Sqlite):
    def __init__(self, url: str) -> None:
        self.location = url


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    reason = Postgres.available()
    if reason is not None:
        pytest.skip(reason)
    with Postgres() as running:
        yield running


@pytest.fixture(params=["folder", "sqlite", "postgresql"])
def place(request, tmp_path) -> Place:
    if request.param == "postgresql":
        return Postgresql(request.getfixturevalue("postgres").fresh())
    return {"folder": Folder, "sqlite": Sqlite}[request.param](tmp_path)


@pytest.fixture
def archive(place) -> Iterator[Callable[..., Archived]]:
    """Makes archives of that kind."""
    made: list[Archived] = []

    def another(**settings: int) -> Archived:
        made.append(Archived(place.location, World("non-repudiation"), **settings))
        return made[-1]

    yield another
    for one in made:
        one.close()


@pytest.fixture
def archived(archive) -> Archived:
    return archive()


def numbers(archived: Archived, segment: str) -> list[int]:
    return [record.sequence for record in archived.store.records(segment)]


def test_records_are_numbered_and_joined(archived):
    assert [archived.plain() for _ in range(3)] == [2, 3, 4]  # the first has its material before it
    (segment,) = archived.store.segments()
    first, *others = archived.store.records(segment)
    for record in others:
        assert (record.sequence, record.previous) == (first.sequence + 1, first.hash)
        first = record
    verified = archived.verify()
    assert (verified.findings, verified.notes, verified.records, verified.requests) == ([], [], 4, 3)
    assert verified.head == Head(CHAIN, 4, first.hash)


def test_another_worker_goes_on_with_the_chain(archived):
    archived.plain()
    archived.archive = archived.opened()
    archived.plain()
    assert archived.verify().findings == []
    assert archived.verify().records == 4  # each worker has brought its material


def test_each_day_has_its_segment_and_material(archived):
    archived.plain()
    archived.world.sleep(DAY)
    assert archived.plain() == 4
    first, second = archived.store.segments()
    assert [numbers(archived, first), numbers(archived, second)] == [[1, 2], [3, 4]]
    assert archived.verify().findings == []


def test_a_clock_that_goes_back_does_not_turn_days_round(archived):
    archived.world.sleep(DAY)
    archived.plain()
    archived.world.sleep(-DAY)
    archived.plain()
    assert len(archived.store.segments()) == 1
    assert archived.verify().findings == []


def _append(location: str, count: int) -> None:
    archived = Archived(location, World("non-repudiation"))
    for _ in range(count):
        archived.plain(os.urandom(3000))
    archived.close()


def test_processes_and_threads_join_one_chain(place, archived):
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_append, args=(place.location, 25)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    with ThreadPoolExecutor(4) as pool:
        kept = list(pool.map(lambda _: archived.plain(), range(40)))
    assert len(set(kept)) == 40
    verified = archived.verify()
    assert verified.findings == []
    assert verified.requests == PROCESSES * 25 + 40


def test_a_worker_that_was_forked_goes_on(archived):
    archived.plain()
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=archived.plain) for _ in range(3)]
    for process in processes:
        process.start()
    archived.plain()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert archived.verify().findings == []
    assert archived.verify().requests == 5


def test_a_chain_is_verified_while_a_server_adds_to_it(archive, archived):
    def add() -> None:
        for _ in range(25):
            archived.plain()

    looks = []
    with ThreadPoolExecutor(1) as pool:
        adding = pool.submit(add)
        while not adding.done():
            looks.append(archive().verify())
            time.sleep(0.005)
        adding.result()
    looks.append(archived.verify())
    assert [look.findings for look in looks] == [[]] * len(looks)
    assert looks[-1].requests == 25
    assert len(looks) > 1


def test_nothing_is_added_where_making_fails(archived):
    archived.plain()

    def broken(_: Link) -> list[Record]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        archived.store.append("2026-03-01", broken)
    archived.plain()
    assert archived.verify().findings == []


def test_retention_removes_whole_days_and_says_so(archive):
    archived = archive(days=10)
    for _ in range(4):
        archived.plain()
        archived.world.sleep(6 * DAY)
    assert archived.store.segments() == ("2026-06-13", "2026-06-19")  # of four; the last was kept on the 19th
    archived.plain()
    assert archived.store.segments() == ("2026-06-19", "2026-06-25")
    assert archived.failures == []
    verified = archived.verify()
    assert (verified.findings, verified.notes) == ([], [])
    assert archived.verify(keyless=True).findings == []


def test_removing_days_without_saying_so_is_told(archived):
    archived.plain()
    archived.world.sleep(DAY)
    archived.plain()
    archived.store.remove(archived.store.segments()[0])
    (finding,) = archived.verify().findings
    assert finding == "echo/1 to 2 are missing, and no retention has removed what is before echo/3"


def test_a_chain_that_is_not_there_is_not_made_by_looking(place, tmp_path):
    with pytest.raises(BackendError, match="there is no archive"):
        open_store(place.location, "nobody", make=False)
    assert not list(tmp_path.rglob("nobody"))


# tampering -----------------------------------------------------------------------------------------------

Tamper = Callable[[list[bytes]], list[bytes]]


def _changed(frames: list[bytes]) -> list[bytes]:
    frame = bytearray(frames[4])
    frame[-40] ^= 1
    return [*frames[:4], bytes(frame), *frames[5:]]


def _shortened(frames: list[bytes]) -> list[bytes]:
    return [*frames[:4], frames[4][:-5], *frames[5:]]


def _in_its_header(frames: list[bytes]) -> list[bytes]:
    frames[4] = frames[4].replace(b'"kind":"request"', b'"kind":"removed"')
    return frames


def _forged(frames: list[bytes]) -> list[bytes]:
    """The rest of the chain written anew by somebody without the key, so that every hash is right."""
    link = read_frame(frames[3])
    end = Link(link.sequence, link.hash, "")
    forged = []
    for _ in frames[4:]:
        record = make(CHAIN, end, Kind.REQUEST, link.at, b"forged", key=bytes(32), entropy=os.urandom)
        forged.append(record.frame)
        end = Link(record.sequence, record.hash, "")
    return [*frames[:4], *forged]


TAMPERED: dict[str, tuple[Tamper, str]] = {
    "changed": (_changed, "echo/5 was changed"),
    "header": (_in_its_header, "echo/5 was changed"),
    "shortened": (_shortened, "after echo/4 the file|echo/5 was changed"),
    "deleted": (lambda frames: frames[:4] + frames[5:], "echo/6: before it echo/5 is missing"),
    "first ones deleted": (lambda frames: frames[2:], "echo/1 to 2 are missing"),
    "reordered": (
        lambda frames: [*frames[:4], frames[5], frames[4], *frames[6:]],
        "echo/6: before it echo/5 is missing",
    ),
    "repeated": (
        lambda frames: [*frames[:5], *frames[4:]],
        "echo/5 stands after echo/5: out of order or put in",
    ),
    "forged": (_forged, "echo/5 was not sealed with the key of this archive"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_tampering_is_told_with_its_place(place, archived, name):
    for _ in range(8):
        archived.plain()
    assert archived.verify().findings == []
    tamper, told = TAMPERED[name]
    (segment,) = archived.store.segments()
    place.rewrite(segment, tamper(place.frames(segment)))
    assert re.search(told, archived.verify().findings[0])
    keyless = archived.verify(keyless=True).findings
    assert (keyless == []) == (name == "forged")


def test_a_rewritten_chain_is_told_by_a_head_and_without_a_key(place, archived):
    for _ in range(8):
        archived.plain()
    head = archived.verify().head
    assert archived.verify(keyless=True, heads=[head]).findings == []
    (segment,) = archived.store.segments()
    place.rewrite(segment, _forged(place.frames(segment)))
    (finding,) = archived.verify(keyless=True, heads=[head]).findings
    assert f"echo/9 is not the record that was noted as {head}" in finding


def test_an_end_that_was_cut_off_is_told_by_a_head(place, archived):
    for _ in range(8):
        archived.plain()
    head = archived.verify().head
    (segment,) = archived.store.segments()
    place.rewrite(segment, place.frames(segment)[:-2])
    verified = archived.verify(heads=[head])
    assert f"{head} was noted, and the chain does not reach it" in verified.findings
    without = archived.verify()
    told = without.findings if archived.store.keeps_end else without.notes
    assert "echo/9 as the last record, and echo/8 to 9 are missing" in told[0]


def test_a_record_of_another_chain_does_not_fit(place, archived):
    for _ in range(3):
        archived.plain()
    (segment,) = archived.store.segments()
    frames = place.frames(segment)
    record = read_frame(frames[2])
    header = record.header.replace(b'"chain":"echo"', b'"chain":"other"')
    place.rewrite(segment, [*frames[:2], replace(record, header=header).frame, *frames[3:]])
    findings = archived.verify().findings
    assert "is of another chain, other/3" in findings[0]
    assert "was changed" in findings[1]


def test_looking_from_a_day_on(place, archived):
    for _ in range(3):
        archived.plain()
        archived.world.sleep(DAY)
    head = archived.verify().head
    first = archived.store.segments()[0]
    frames = place.frames(first)
    place.rewrite(first, [frames[0], _flipped(frames[1])])
    later = archived.verify(since=archived.store.segments()[1], heads=[head])
    assert (later.findings, later.records) == ([], 4)
    assert len(archived.verify().findings) == 1


def _flipped(frame: bytes) -> bytes:
    return frame[:-40] + bytes([frame[-40] ^ 1]) + frame[-39:]


# keys ----------------------------------------------------------------------------------------------------


def seal(name: str, begins: datetime) -> SealKey:
    return SealKey(name, os.urandom(32), Lifespan(begins))


def test_a_new_seal_key_seals_the_archives_key_anew_and_the_old_one_may_go(archived):
    archived.plain()
    second = seal("second", archived.world.now)
    archived.seals = SealKeys((*archived.seals.keys, second))
    archived.plain()  # no restart in between
    archived.seals = SealKeys((second,))
    archived.plain()
    assert archived.verify().findings == []
    assert archived.read(2).parts == {"wire": b"a message"}


def test_a_seal_key_that_went_before_its_successor_was_seen_is_told(archived):
    archived.plain()
    archived.seals = SealKeys((seal("second", archived.world.now),))
    with pytest.raises(BackendError, match="was sealed under first, and the ring has no such"):
        archived.read(2)
    assert archived.verify(keyless=True).findings == []


def test_a_stolen_archive_tells_no_content(place, archived, tmp_path):
    archived.plain(b"nobody may read this")
    archived.exchange("nor this")
    stored = b"".join(place.frames(archived.store.segments()[0]))
    for secret in (b"nobody may read", b"nor this", b"material", b"CN=", b"client"):
        assert secret not in stored.replace(b'"kind":"material"', b"")
