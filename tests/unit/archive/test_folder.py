"""What only a folder can suffer: crashes in the middle of a write, a full disk, a lost hint."""

import errno
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from tests.simulator.archived import CHAIN, Archived
from tests.simulator.world import World
from wsprovider.words.errors import BackendError


@pytest.fixture
def archived(tmp_path):
    return Archived(tmp_path, World("non-repudiation"))


@pytest.fixture
def file(archived, tmp_path) -> Path:
    """The day's file, with five records that somebody relies on."""
    for _ in range(4):
        archived.plain(bytes(2000))
    (found,) = (tmp_path / CHAIN).glob("*.records")
    return found


def hint(file: Path) -> Path:
    return file.parent / "end"


@pytest.mark.parametrize("rest", [1, 3, 11, 12, 100, -33, -1])
@pytest.mark.parametrize("lost", [False, True])
def test_an_unfinished_record_is_told_from_tampering_and_cut_off(archived, file, rest, lost):
    before, kept = hint(file).read_bytes(), file.stat().st_size
    archived.plain()
    whole = file.read_bytes()
    file.write_bytes(whole[: kept + rest] if rest > 0 else whole[:rest])
    hint(file).write_bytes(b"" if lost else before)
    cut = file.stat().st_size - kept
    verified = archived.verify()
    assert verified.findings == []
    assert "an unfinished record stands after echo/5" in verified.notes[0]
    archived.archive = archived.opened()
    archived.plain()
    verified = archived.verify()
    assert verified.findings == []
    assert [
        f"{cut} octets of an unfinished record were cut off before it" in one for one in verified.notes
    ] == [True]


def test_pages_that_never_reached_the_disk_are_an_unfinished_record(archived, file):
    hinted, kept = hint(file).read_bytes(), file.stat().st_size
    archived.plain(os.urandom(9000))
    octets = bytearray(file.read_bytes())
    octets[kept + 2048 : kept + 4096] = bytes(2048)
    file.write_bytes(octets)
    hint(file).write_bytes(hinted)
    assert archived.verify().findings == []
    archived.plain()
    assert archived.verify().findings == []


def test_what_is_no_unfinished_record_is_not_cut_off(archived, file):
    hinted = hint(file).read_bytes()
    with file.open("ab") as end:
        end.write(os.urandom(200))
    hint(file).write_bytes(hinted)
    size = file.stat().st_size
    with pytest.raises(BackendError, match="is damaged at its end"):
        archived.plain()
    assert file.stat().st_size == size
    assert "the file holds something that is no record" in archived.verify().findings[0]


@pytest.mark.parametrize(("place", "value"), [(400, bytes(512)), (8, b"\x00\x0f\xff\xff"), (0, bytes(16))])
def test_what_stands_before_other_records_is_never_an_unfinished_one(archived, file, place, value):
    """Whoever blanks a record, or its length, hides it and what follows: that is told as tampering."""
    frames = [record.frame for record in archived.store.records(file.name.removesuffix(".records"))]
    begin = sum(len(frame) for frame in frames[:2])
    octets = bytearray(file.read_bytes())
    octets[begin + place : begin + place + len(value)] = value
    file.write_bytes(octets)
    assert "after echo/2 the file" in archived.verify().findings[0]


@pytest.mark.parametrize("text", [b"", b"nonsense", b'["2026-06-01", 10, 99, "00"]', b'{"a": 1}'])
def test_the_hint_is_only_a_hint(archived, file, text):
    hint(file).write_bytes(text)
    archived.plain()
    hint(file).unlink()
    archived.plain()
    assert archived.verify().findings == []
    assert archived.verify().requests == 6


def test_a_hint_that_is_ahead_of_the_file_is_no_tampering(archived, file):
    kept = file.read_bytes()
    archived.plain()
    file.write_bytes(kept)  # a crash of the machine took the record, and left the hint
    verified = archived.verify()
    assert verified.findings == []
    assert "echo/6 is missing: cut off by a crash" in verified.notes[0]
    archived.plain()
    assert (archived.verify().findings, archived.verify().notes) == ([], [])


def test_a_new_day_goes_on_after_an_unfinished_record(archived, file):
    hinted = hint(file).read_bytes()
    with file.open("ab") as end:
        end.write(b"WSA1\x00")
    hint(file).write_bytes(hinted)
    archived.world.sleep(86_400)
    archived.plain()
    assert archived.verify().findings == []


def test_a_full_disk_leaves_nothing_behind(archived, file, monkeypatch):
    size, real = file.stat().st_size, os.pwrite

    def full(descriptor, data, offset):
        if offset > size:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, bytes(data)[:50], offset)

    with monkeypatch.context() as here:
        here.setattr(os, "pwrite", full)
        with pytest.raises(BackendError, match="No space left"):
            archived.plain()
    assert file.stat().st_size == size
    archived.archive.check()
    archived.plain()
    assert archived.verify().findings == []


def test_too_little_room_is_told_before_a_message_is_taken(archived, monkeypatch):
    archived.archive.check()
    real = os.statvfs
    seen = real("/")
    little = os.statvfs_result((*seen[:4], 10, *seen[5:]))
    monkeypatch.setattr(os, "statvfs", lambda _: little)
    with pytest.raises(BackendError, match="octets are free: make room"):
        archived.archive.check()


def test_what_did_not_reach_the_disk_is_not_kept(archived, monkeypatch):
    def broken(_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", broken)
    with pytest.raises(BackendError, match="Input/output error"):
        archived.plain()


def test_files_are_their_owners_alone(file):
    assert {one.stat().st_mode & 0o777 for one in file.parent.iterdir()} == {0o600}
    assert file.parent.stat().st_mode & 0o777 == 0o700


def _append(location: str, kept) -> None:
    archived = Archived(location, World("non-repudiation"))
    while True:
        kept.send(archived.plain(os.urandom(20_000)))


def test_no_death_loses_what_was_kept(archived, tmp_path):
    """Processes that append without end are killed in the middle of whatever they do."""
    context = multiprocessing.get_context("fork")
    told = set()
    for moment in (0.05, 0.08, 0.11, 0.14):
        running = []
        for _ in range(2):
            here, there = context.Pipe(duplex=False)
            process = context.Process(target=_append, args=(str(tmp_path), there))
            process.start()
            there.close()
            running.append((process, here))
        assert running[0][1].poll(20)
        time.sleep(moment)
        for process, here in running:
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            try:
                while here.poll():
                    told.add(here.recv())
            except EOFError:
                here.close()
    archived.plain()
    verified = archived.verify()
    assert verified.findings == []
    numbers = {record.sequence for day in archived.store.segments() for record in archived.store.records(day)}
    assert len(told) > 4
    assert told <= numbers
