"""What only the records in SQLite promise: the way from version 1 of the file, transactions, indexes."""

import multiprocessing
import os
import signal
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from wsprovider.adapters.shared import sqlite_file, sqlite_records
from wsprovider.adapters.shared.sqlite import SqliteStore
from wsprovider.adapters.shared.terms import fingerprint
from wsprovider.ports import Room, Totals
from wsprovider.words.errors import BackendError

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
END = NOW + timedelta(minutes=5)
PROCESSES = 6

# as the program wrote it before there were records
VERSION_1 = (
    "CREATE TABLE entries (key BLOB PRIMARY KEY NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX entries_by_expiry ON entries (expires)",
    "CREATE TABLE tally (held INTEGER NOT NULL)",
    "INSERT INTO tally VALUES (0)",
    "CREATE TRIGGER entry_added AFTER INSERT ON entries BEGIN UPDATE tally SET held = held + 1; END",
    "CREATE TRIGGER entry_freed AFTER DELETE ON entries BEGIN UPDATE tally SET held = held - 1; END",
    f"PRAGMA application_id = {0x77737073}",
    "PRAGMA user_version = 1",
)
ADDED_BY_VERSION_1 = """
    INSERT INTO entries (key, expires) SELECT ?, ? WHERE (SELECT held FROM tally) < ?
    ON CONFLICT (key) DO UPDATE SET expires = excluded.expires WHERE entries.expires <= ?"""


def keep(store, key, value=b"value", *, end=END, now=NOW):
    return store.keep(
        "context", key, value, owner="owner", expires=end, now=now, owner_limit=10**6, limit=10**6
    )


def add_as_version_1(connection, key):
    end, begin = int(END.timestamp() * 1000), int(NOW.timestamp() * 1000)
    return connection.execute(ADDED_BY_VERSION_1, (fingerprint(key), end, 1000, begin)).rowcount == 1


def schema(path):
    connection = sqlite3.connect(path)
    made = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    return version, made


@pytest.fixture
def path(tmp_path):
    return tmp_path / "shared.sqlite3"


@pytest.fixture
def store(path):
    opened = SqliteStore(path)
    yield opened
    opened.close()


@pytest.fixture
def old(path):
    """A connection to a file of version 1, as a worker of that version has it."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    for statement in VERSION_1:
        connection.execute(statement)
    for number in range(10):
        assert add_as_version_1(connection, f"old {number}")
    yield connection
    connection.close()


# from version 1


def test_a_file_of_version_1_becomes_one_of_version_2(old, path, tmp_path):
    old.close()
    store = SqliteStore(path)
    assert all(store.contains(f"old {number}", now=NOW) for number in range(10))
    assert not store.add_if_absent("old 3", expires=END, now=NOW)
    assert store.size() == 10
    assert store.totals("context", now=NOW) == Totals(0, 0, 0, 0, 0)
    assert keep(store, "a") is Room.KEPT
    store.close()
    SqliteStore(tmp_path / "new.sqlite3").close()
    assert schema(path) == schema(tmp_path / "new.sqlite3")
    assert schema(path)[0] == sqlite_file.SCHEMA_VERSION == 2
    again = SqliteStore(path)
    assert again.record("context", "a", now=NOW).value == b"value"
    again.close()


def test_a_worker_of_version_1_goes_on_beside_one_of_version_2(old, path):
    assert add_as_version_1(old, "before")
    store = SqliteStore(path)
    assert keep(store, "a") is Room.KEPT
    assert add_as_version_1(old, "by the old one")
    assert not store.add_if_absent("before", expires=END, now=NOW)
    assert not store.add_if_absent("by the old one", expires=END, now=NOW)
    assert store.add_if_absent("by the new one", expires=END, now=NOW)
    assert not add_as_version_1(old, "by the new one")
    assert old.execute("SELECT held FROM tally").fetchone() == (13,)
    assert store.size() == 13
    store.close()


def test_a_worker_that_reads_does_not_hold_up_the_migration(old, path):
    reading = old.execute("SELECT key FROM entries")
    reading.fetchone()
    store = SqliteStore(path)
    assert len(reading.fetchall()) == 9
    assert keep(store, "a") is Room.KEPT
    store.close()


def test_a_worker_that_writes_too_long_refuses_the_migration_and_leaves_version_1(old, path):
    old.execute("BEGIN IMMEDIATE")
    with pytest.raises(BackendError, match="locked"):
        SqliteStore(path, timeout=0.1)
    old.execute("COMMIT")
    assert schema(path)[0] == 1
    SqliteStore(path).close()
    assert schema(path)[0] == 2


def open_together(path, index, ready, results):
    ready.wait()
    store = SqliteStore(path, timeout=60)
    results.put((keep(store, f"{index}"), keep(store, "the same"), store.contains("old 0", now=NOW)))
    store.close()


def test_workers_may_start_together_on_a_file_of_version_1(old, path):
    context = multiprocessing.get_context("spawn")
    ready, results = context.Barrier(PROCESSES), context.Queue()
    workers = [
        context.Process(target=open_together, args=(path, index, ready, results))
        for index in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    found = [results.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert [own for own, _, _ in found] == [Room.KEPT] * PROCESSES
    assert sorted(same.name for _, same, _ in found) == ["KEPT"] + ["TAKEN"] * (PROCESSES - 1)
    assert all(known for _, _, known in found)
    store = SqliteStore(path)
    assert store.totals("context", now=NOW) == Totals(PROCESSES + 1, PROCESSES + 1, 0, 0, 0)
    store.close()


def die_while_migrating(path, statements):
    connection = sqlite3.connect(path, isolation_level=None)
    with sqlite_file.transaction(connection):
        for statement in sqlite_file._RECORDS[:statements]:
            connection.execute(statement)
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("statements", [1, 4, len(sqlite_file._RECORDS)])
def test_a_migration_that_was_killed_leaves_version_1_and_is_done_again(old, path, statements):
    before = schema(path)
    worker = multiprocessing.get_context("spawn").Process(target=die_while_migrating, args=(path, statements))
    worker.start()
    worker.join(60)
    assert worker.exitcode == -signal.SIGKILL
    assert schema(path) == before
    assert before[0] == 1
    store = SqliteStore(path)
    assert store.contains("old 0", now=NOW)
    assert keep(store, "a") is Room.KEPT
    store.close()


def test_a_migration_that_fails_leaves_version_1(old, path, monkeypatch):
    before = schema(path)
    with monkeypatch.context() as patch:
        patch.setattr(sqlite_file, "_RECORDS", (*sqlite_file._RECORDS, "CREATE nonsense"))
        with pytest.raises(BackendError, match="syntax error"):
            SqliteStore(path)
    assert schema(path) == before
    SqliteStore(path).close()
    assert schema(path)[0] == 2


# transactions


@pytest.mark.parametrize("where", ["_COUNT_KEPT", "_COUNT_REPLACED", "_COUNT_REMOVED", "_COUNT_EXPIRED"])
def test_a_change_that_cannot_be_counted_is_none(store, monkeypatch, where):
    keep(store, "a", end=NOW + timedelta(seconds=1))
    keep(store, "b")
    late = NOW + timedelta(seconds=1)
    change = {
        "_COUNT_KEPT": lambda: keep(store, "c"),
        "_COUNT_REPLACED": lambda: store.replace("context", "b", b"", version=1, expires=END, now=NOW),
        "_COUNT_REMOVED": lambda: store.remove("context", "b", version=1, now=NOW),
        "_COUNT_EXPIRED": lambda: store.totals("context", now=late),
    }[where]
    with monkeypatch.context() as patch:
        patch.setattr(sqlite_records, where, "UPDATE nowhere SET x = ?")
        with pytest.raises(BackendError, match="nowhere"):
            change()
    assert store.totals("context", now=NOW) == Totals(2, 2, 0, 0, 0)
    assert change()
    totals = store.totals("context", now=late)
    assert totals.kept == totals.live + totals.removed + totals.expired


def test_an_interruption_in_the_middle_undoes_the_change_and_its_lock(store, path, monkeypatch):
    """As a worker's signal handler raises it; the connection stays in use."""
    keep(store, "a", end=NOW + timedelta(seconds=1))

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sqlite_records, "_room", interrupted)
        with pytest.raises(KeyboardInterrupt):
            keep(store, "a", now=NOW + timedelta(seconds=1))
    assert not store._connection.in_transaction
    other = SqliteStore(path, timeout=0.1)
    assert keep(other, "b") is Room.KEPT
    assert other.totals("context", now=NOW) == Totals(2, 2, 0, 0, 0)
    other.close()


def test_a_disk_that_is_full_refuses_and_the_totals_add_up(store):
    store._connection.execute("PRAGMA max_page_count = 30")
    kept = 0
    with pytest.raises(BackendError, match="full"):  # noqa: PT012 - sooner or later
        while kept < 2_000:
            keep(store, f"{kept}", b"x" * 1000)
            kept += 1
    assert store.totals("context", now=NOW) == Totals(kept, kept, 0, 0, 0)
    assert len(list(store.records("context", now=NOW))) == kept
    assert keep(store, "after") is Room.KEPT


def test_a_file_taken_away_is_noticed_by_the_next_record_kept(store, path):
    keep(store, "a")
    for file in path.parent.iterdir():
        file.unlink()
    keep(store, "b")
    assert keep(store, "c") is Room.KEPT
    late = SqliteStore(path)
    assert [record.key for record in late.records("context", now=NOW)] == ["c"]
    late.close()


def test_a_reader_does_not_wait_for_a_writer(store, path):
    keep(store, "a")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert store.record("context", "a", now=NOW).value == b"value"
    assert len(list(store.records("context", now=NOW))) == 1
    other.execute("ROLLBACK")
    other.close()


# the file


def test_the_owner_is_kept_as_a_hash(store, path):
    store.keep("context", "a", b"", owner="a telling name", expires=END, now=NOW, owner_limit=1, limit=1)
    store.close()
    assert b"telling" not in path.read_bytes()
    connection = sqlite3.connect(path)
    row = connection.execute("SELECT length(owner), typeof(key), typeof(value) FROM records").fetchone()
    assert row == (32, "text", "blob")
    connection.close()


@pytest.mark.parametrize(
    ("statement", "arguments", "index"),
    [
        ("_FIND", 3, "records_by_key (kind=? AND key=?)"),
        ("_OWNED", 3, "COVERING INDEX records_by_owner (kind=? AND owner=? AND expires>?)"),
        ("_OVER", 2, "COVERING INDEX records_by_expiry (kind=? AND expires<?)"),
        ("_REPLACE", 6, "records_by_key (kind=? AND key=?)"),
        ("_REMOVE", 4, "records_by_key (kind=? AND key=?)"),
        ("_FREE_KEY", 3, "records_by_key (kind=? AND key=?)"),
        ("_FREE", 3, "COVERING INDEX records_by_expiry (kind=? AND expires<?)"),
        ("_SEVERAL", 3, "records_by_key (kind=? AND key=?)"),
        ("_LIST", 4, "records_by_key (kind=? AND key>?)"),
    ],
)
def test_no_statement_walks_or_sorts_all_records(store, statement, arguments, index):
    query = f"EXPLAIN QUERY PLAN {getattr(sqlite_records, statement).replace('%s', '?')}"
    plan = [row[3] for row in store._connection.execute(query, (0,) * arguments)]
    assert any(index in line for line in plan), plan
    assert not [line for line in plan if "SCAN" in line or "TEMP B-TREE" in line]
