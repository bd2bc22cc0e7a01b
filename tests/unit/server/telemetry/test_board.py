"""Numbers in files: added up over processes, whatever has become of them."""

import os
import signal
import threading
from pathlib import Path

import pytest

from wsprovider.server.telemetry.board import Board, Folder, hand_over

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")


@pytest.fixture
def folder(tmp_path):
    made = Folder(tmp_path)
    yield made
    made.remove()


def counting(folder, times, *, then=0):
    """A child that counts so often, and ends by a signal or waits for one."""
    board = Board(2, "a b")
    ready, said = os.pipe()
    pid = os.fork()
    if pid == 0:
        board.join(folder.path)
        for _ in range(times):
            board.values[1] += 1
        os.write(said, b".")
        if then:
            os.kill(os.getpid(), then)
        signal.pause()
        os._exit(0)
    os.close(said)
    assert os.read(ready, 1) == b"."
    os.close(ready)
    return pid


def end(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_a_process_on_its_own_tells_its_own_numbers():
    board = Board(2, "a b")
    board.values[0] += 2.5
    assert list(board.totals()) == [2.5, 0]
    assert board.workers() == 1


def test_what_was_counted_before_joining_counts(folder):
    board = Board(2, "a b")
    board.values[0] += 2
    board.join(folder.path)
    board.values[0] += 1
    assert list(board.totals()) == list(board.own()) == [3, 0]


def test_the_sums_of_living_and_killed_workers(folder):
    living = counting(folder, 5)
    killed = counting(folder, 7, then=signal.SIGKILL)
    os.waitpid(killed, 0)
    board = Board(2, "a b")
    board.attend(folder.path)
    assert list(board.totals()) == [0, 12]
    assert list(board.own()) == [0, 0]
    assert board.workers() == 1
    board.retire(folder.path, killed)
    board.retire(folder.path, killed)  # once is enough
    assert list(board.totals()) == [0, 12]
    end(living)
    board.retire(folder.path, living)
    assert list(board.totals()) == [0, 12]
    assert board.workers() == 0
    assert len([file for file in folder.path.iterdir() if "lock" not in file.name]) == 1


def test_another_layout_is_not_added(folder):
    board, other = Board(2, "a b"), Board(2, "b a")
    for one in (board, other):
        one.join(folder.path)
        one.values[0] += 1
    assert list(board.totals()) == list(other.totals()) == [1, 0]


def test_a_child_leaves_its_parents_numbers_to_it(folder):
    board = Board(1, "a")
    board.join(folder.path)
    board.values[0] += 1
    board.lock.acquire()  # as another thread of the parent might
    pid = os.fork()
    if pid == 0:
        with board.lock:
            board.values[0] += 1
        os._exit(0 if list(board.own()) == [1] else 1)
    assert os.waitpid(pid, 0)[1] == 0
    board.lock.release()
    assert list(board.totals()) == [1]


def test_no_number_is_lost_between_retiring_and_adding_up(folder):
    """The sums never fall, while workers come and go."""
    board = Board(2, "a b")
    board.attend(folder.path)
    seen, done = [], threading.Event()

    def look():
        while not done.is_set():
            seen.append(board.totals()[1])

    pids = [counting(folder, 10, then=signal.SIGKILL) for _ in range(8)]
    for pid in pids:
        os.waitpid(pid, 0)
    looking = threading.Thread(target=look)
    looking.start()
    for pid in pids:
        board.retire(folder.path, pid)
    done.set()
    looking.join()
    assert set(seen) | {board.totals()[1]} == {80}


def test_no_room_leaves_counting_in_memory(folder, monkeypatch):
    board = Board(1, "a")
    board.values[0] += 1

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(OSError, match="No space"):
        board.join(folder.path)
    board.values[0] += 1
    assert list(board.totals()) == [2]
    assert not list(folder.path.glob("*.[0-9]*"))


def test_a_start_removes_what_a_killed_one_has_left(tmp_path):
    ready, said = os.pipe()
    pid = os.fork()
    if pid == 0:
        Folder(tmp_path)
        os.write(said, b".")
        signal.pause()
        os._exit(0)
    os.close(said)
    assert os.read(ready, 1) == b"."
    os.close(ready)
    (theirs,) = tmp_path.iterdir()
    mine = Folder(tmp_path)
    assert theirs.exists(), "whoever made it is there"
    mine.remove()
    assert not mine.path.exists()
    end(pid)
    Folder(tmp_path).remove()
    assert list(tmp_path.iterdir()) == []
    assert theirs.parent == tmp_path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_workers_that_are_somebody_else_count_in_a_folder_of_roots(folder):
    nobody = 65_534
    os.chmod(folder.path.parent, 0o755)  # noqa: PTH101 - of the test's own
    hand_over(folder.path, nobody, nobody)
    board = Board(2, "a b")
    board.attend(folder.path)
    pid = os.fork()
    if pid == 0:
        os.chdir(folder.path)
        os.setgid(nobody)
        os.setuid(nobody)
        board.join(Path())
        board.values[0] += 3
        os._exit(int(list(board.totals()) != [3, 0]))
    assert os.waitpid(pid, 0)[1] == 0
    board.retire(folder.path, pid)
    assert list(board.totals()) == [3, 0]
    assert {path.stat().st_uid for path in folder.path.iterdir()} == {nobody}


def test_nobody_else_can_look_in(folder):
    assert folder.path.stat().st_mode & 0o077 == 0
