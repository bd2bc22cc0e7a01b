"""What only the SQLite store promises: its file, crashes, and what is not its file."""

import multiprocessing
import os
import signal
import sqlite3
import stat
import time
from datetime import UTC, datetime, timedelta

import pytest

from wsprovider.adapters.shared.sqlite import SqliteStore
from wsprovider.words.errors import BackendError, BackendFullError

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
END = NOW + timedelta(minutes=5)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "var" / "shared.sqlite3"


@pytest.fixture
def store(path):
    opened = SqliteStore(path)
    yield opened
    opened.close()


def write_until_killed(path, accepted):
    store = SqliteStore(path)
    number = 0
    while True:
        assert store.add_if_absent(f"key {number}", expires=END, now=NOW)
        accepted.value = number + 1
        number += 1


def test_a_killed_writer_leaves_a_store_with_all_it_accepted(path):
    context = multiprocessing.get_context("spawn")
    accepted = context.Value("L", 0, lock=False)
    writer = context.Process(target=write_until_killed, args=(path, accepted))
    writer.start()
    deadline = time.monotonic() + 30
    while accepted.value < 2_500 and time.monotonic() < deadline:
        time.sleep(0.001)
    os.kill(writer.pid, signal.SIGKILL)
    writer.join(10)
    count = accepted.value
    assert count >= 2_500
    store = SqliteStore(path)
    assert not any(store.add_if_absent(f"key {n}", expires=END, now=NOW) for n in range(count))
    assert store.add_if_absent(f"key {count + 1}", expires=END, now=NOW)
    assert store.size() in {count + 1, count + 2}  # one may have been written and not yet counted
    store.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def die_in_a_transaction(path, ready):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO entries (key, expires) VALUES (zeroblob(32), 1)")
    ready.set()
    time.sleep(60)


def test_who_is_killed_in_a_transaction_leaves_no_lock_and_no_half(store, path):
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    writer = context.Process(target=die_in_a_transaction, args=(path, ready))
    writer.start()
    assert ready.wait(30)
    with pytest.raises(BackendError, match="locked"):
        store.add_if_absent("a", expires=END, now=NOW)
    os.kill(writer.pid, signal.SIGKILL)
    writer.join(10)
    begin = time.monotonic()
    assert store.add_if_absent("a", expires=END, now=NOW)
    assert time.monotonic() - begin < 1.0
    assert store.size() == 1


def test_file_and_folder_are_the_owners_only(store, path):
    store.add_if_absent("a", expires=END, now=NOW)
    assert {file.name for file in path.parent.iterdir()} >= {path.name, f"{path.name}-wal"}
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_keys_are_kept_as_hashes(store, path):
    store.add_if_absent("a very telling key", expires=END, now=NOW)
    store.close()
    assert b"telling" not in path.read_bytes()
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT length(key), typeof(expires) FROM entries").fetchall() == [
        (32, "integer")
    ]
    connection.close()


def test_the_log_is_ahead_and_synced_at_checkpoints(store, path):
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    assert store._connection.execute("PRAGMA synchronous").fetchone() == (1,)


def test_a_file_that_is_no_database_is_refused(path):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"by no means a database" * 500)
    with pytest.raises(BackendError, match="not a database"):
        SqliteStore(path)


def test_a_damaged_file_is_refused_and_never_an_sqlite_error(path):
    store = SqliteStore(path)
    for number in range(2_000):
        store.add_if_absent(f"key {number}", expires=END, now=NOW)
    store.close()
    content = bytearray(path.read_bytes())
    content[4096 * 2 :] = os.urandom(len(content) - 4096 * 2)
    path.write_bytes(content)
    with pytest.raises(BackendError):  # noqa: PT012 - whichever touches the damage first
        damaged = SqliteStore(path)
        for number in range(2_000):
            damaged.add_if_absent(f"key {number}", expires=END, now=NOW)
    damaged.close()


def test_the_database_of_something_else_is_refused(path):
    path.parent.mkdir(parents=True)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE entries (x)")
    connection.commit()
    connection.close()
    with pytest.raises(BackendError, match="something else"):
        SqliteStore(path)


def test_another_schema_version_is_refused(store, path):
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(BackendError, match="version 7"):
        SqliteStore(path)


def test_a_folder_that_cannot_be_made_is_a_backend_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(BackendError, match="cannot be made"):
        SqliteStore(tmp_path / "file" / "shared.sqlite3")


def test_a_folder_in_the_place_of_the_file_is_a_backend_error(tmp_path):
    with pytest.raises(BackendError, match="no file"):
        SqliteStore(tmp_path)


def test_a_file_that_cannot_be_written_is_a_backend_error(store, path, monkeypatch):
    store.close()
    path.chmod(0o400)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root, who may run this, may write everywhere
    with pytest.raises(BackendError, match="written"):
        SqliteStore(path)


def test_a_disk_that_is_full_refuses_and_recovers(store, path):
    assert store.add_if_absent("before", expires=END, now=NOW)
    store._connection.execute("PRAGMA max_page_count = 8")
    accepted = 0
    with pytest.raises(BackendFullError, match="full"):  # noqa: PT012 - sooner or later
        while accepted < 2_000:
            store.add_if_absent(f"key {accepted}", expires=END, now=NOW)
            accepted += 1
    # the limit went with the connection, as space returns to a disk
    assert store.add_if_absent(f"key {accepted}", expires=END, now=NOW)
    assert not store.add_if_absent("before", expires=END, now=NOW)


def test_a_store_kept_busy_by_another_process_refuses_in_time(path):
    store = SqliteStore(path, timeout=0.2)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    begin = time.monotonic()
    with pytest.raises(BackendError, match="locked"):
        store.add_if_absent("a", expires=END, now=NOW)
    assert 0.15 < time.monotonic() - begin < 1.0
    assert not store.contains("a", now=NOW)  # readers do not wait
    other.execute("ROLLBACK")
    other.close()
    assert store.add_if_absent("a", expires=END, now=NOW)
    store.close()


def test_a_file_taken_away_is_noticed(store, path):
    store.add_if_absent("a", expires=END, now=NOW)
    for file in path.parent.iterdir():
        file.unlink()
    for number in range(100):
        store.add_if_absent(f"key {number}", expires=END, now=NOW)
    late = SqliteStore(path)
    assert late.size() > 0  # both write to the new file
    late.close()


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_no_connection_is_open_across_a_fork(store):
    assert store.add_if_absent("a", expires=END, now=NOW)
    assert store._connection is not None
    child = os.fork()
    if child == 0:
        good = False
        try:
            good = store._connection is None and not store.add_if_absent("a", expires=END, now=NOW)
            good = good and store.add_if_absent("by the child", expires=END, now=NOW)
        finally:
            os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not store.add_if_absent("a", expires=END, now=NOW)
    assert not store.add_if_absent("by the child", expires=END, now=NOW)


def test_a_connection_that_came_through_a_fork_is_not_used_nor_closed(store):
    inherited = store._connection
    store.after_fork_in_child()  # as after a fork that Python did not make
    assert not store.contains("a", now=NOW)
    assert store._connection is not inherited
    assert inherited.execute("SELECT 1").fetchone() == (1,)
    inherited.close()


def test_a_handle_let_go_does_not_undo_the_locks_of_another(store, path):
    """POSIX drops a process's locks on a file when any descriptor of it is closed."""
    store.add_if_absent("a", expires=END, now=NOW)
    SqliteStore(path).close()
    other = multiprocessing.get_context("spawn").Process(target=open_and_close, args=(path,))
    other.start()
    other.join(30)
    assert other.exitcode == 0
    # had the locks gone, the other process would have been the last and removed the log under us
    assert path.with_name(f"{path.name}-wal").exists()
    assert not store.add_if_absent("a", expires=END, now=NOW)


def open_and_close(path):
    SqliteStore(path).close()
