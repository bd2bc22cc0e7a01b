"""Files followed as they change. What users, keytabs and keys folders do with it is told by their own tests."""

import os
import threading

import pytest

from wsprovider.adapters.shared.following import Followed, OneFile
from wsprovider.words.errors import ConfigurationError, Problem


def read(path):
    text = path.read_text("ascii")
    if text == "bad":
        raise ConfigurationError([Problem(str(path), "bad")])
    return text


def follow(path, read, *, monotonic=lambda: 0.0, on_swap=pytest.fail, on_failure=pytest.fail):
    return Followed(
        OneFile(path, read), monotonic=monotonic, interval=1, on_swap=on_swap, on_failure=on_failure
    )


class Watched:
    """A file of text, followed by a clock that the test moves; "bad" in it cannot be used."""

    def __init__(self, path):
        self.path, self.seconds = path, 0.0
        self.swaps, self.failures = [], []
        self.while_reading = lambda: None
        path.write_text("first", "ascii")
        self.followed = follow(
            path,
            self.read,
            monotonic=lambda: self.seconds,
            on_swap=self.swaps.append,
            on_failure=self.failures.append,
        )

    def read(self, path):
        text = read(path)
        self.while_reading()
        return text

    def put(self, text):
        other = self.path.with_suffix(".new")
        other.write_text(text, "ascii")
        other.replace(self.path)

    def later(self):
        self.seconds += 1
        return self.followed.current()


@pytest.fixture
def watched(tmp_path):
    return Watched(tmp_path / "file")


def test_a_change_is_seen_when_a_look_is_due_and_told_once(watched):
    watched.put("second")
    assert watched.followed.current() == "first"
    assert [watched.later() for _ in range(3)] == ["second"] * 3
    assert watched.swaps == ["second"]


def test_a_look_that_is_not_due(watched):
    watched.put("second")
    assert watched.followed.newest() == "second"


def test_what_cannot_be_used_leaves_the_last_reading_in_force_and_is_told_once_for_each_state(watched):
    watched.put("bad")
    assert [watched.later() for _ in range(3)] == ["first"] * 3
    assert len(watched.failures) == 1
    watched.path.unlink()
    watched.path.write_text("bad", "ascii")
    watched.later()
    assert len(watched.failures) == 2
    watched.put("second")
    assert watched.later() == "second"
    assert watched.swaps == ["second"]


def test_whether_an_older_reading_is_in_force(watched):
    assert not watched.followed.failed
    watched.put("bad")
    assert not watched.followed.failed, "no look is due"
    watched.seconds += 1
    assert watched.followed.failed
    assert watched.later() == "first"
    assert watched.followed.failed, "nothing has changed since"
    watched.put("first")
    watched.seconds += 1
    assert not watched.followed.failed
    assert len(watched.failures) == 1


def test_a_file_that_changes_while_it_is_read_is_read_again(watched):
    def replaced():
        watched.while_reading = lambda: None
        watched.put("third")

    watched.while_reading = replaced
    watched.put("second")
    assert watched.later() == "second"
    assert watched.later() == "third"


def test_the_first_reading_must_succeed(tmp_path):
    (tmp_path / "file").write_text("bad", "ascii")
    with pytest.raises(ConfigurationError):
        follow(tmp_path / "file", read)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_child_looks_though_a_thread_of_its_parent_was_at_it(watched):
    reading, go_on = threading.Event(), threading.Event()

    def slow():
        reading.set()
        assert go_on.wait(10)

    watched.while_reading = slow
    watched.put("second")
    thread = threading.Thread(target=watched.later)
    thread.start()
    assert reading.wait(10)
    child = os.fork()
    if child == 0:
        right = False
        try:
            watched.while_reading = lambda: None
            watched.put("third")
            right = watched.later() == "third"
        finally:
            os._exit(0 if right else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    go_on.set()
    thread.join(10)
    assert watched.later() == "third"


def test_a_mistake_of_the_reading_is_told_and_reaches_nobody(watched):
    """Its type only: the text of such an exception may quote what was read."""

    def fail():
        raise OverflowError("SECRET")

    watched.while_reading = fail
    watched.put("second")
    assert watched.later() == "first"
    assert watched.followed.failed
    (error,) = watched.failures
    assert "OverflowError" in str(error)
    assert "SECRET" not in str(error)
