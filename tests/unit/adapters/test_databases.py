"""Databases by URL: what they promise to user stores and the archive."""

import os
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from wsprovider.adapters.databases import Database
from wsprovider.words.errors import BackendError, ConfigurationError


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path / 'some.db'}", where="archive")
    with database.transaction() as connection:
        connection.execute(text("CREATE TABLE counter (value INTEGER NOT NULL)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))
    return database


def count(database: Database) -> int:
    with database.transaction() as connection:
        return int(connection.execute(text("SELECT value FROM counter")).scalar_one())


def add_one(database: Database) -> None:
    with database.transaction() as connection:
        value = connection.execute(text("SELECT value FROM counter")).scalar_one()
        connection.execute(text("UPDATE counter SET value = :value"), {"value": value + 1})


def test_what_was_raised_within_is_rolled_back_and_comes_out(database):
    with pytest.raises(ZeroDivisionError), database.transaction() as connection:  # noqa: PT012
        connection.execute(text("UPDATE counter SET value = 7"))
        raise ZeroDivisionError
    assert count(database) == 0
    add_one(database)
    assert count(database) == 1


def test_nobody_comes_between_reading_and_writing(database):
    threads = [threading.Thread(target=lambda: [add_one(database) for _ in range(25)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(database) == 100


def test_who_only_reads_waits_for_nobody_who_writes(database):
    with database.transaction() as writing:
        writing.execute(text("UPDATE counter SET value = 7"))
        with database.reading() as connection:
            assert connection.execute(text("SELECT value FROM counter")).scalar_one() == 0
    with database.reading() as connection:
        assert connection.execute(text("SELECT value FROM counter")).scalar_one() == 7


def test_a_forked_process_has_connections_of_its_own(database):
    add_one(database)
    child = os.fork()
    if child == 0:
        try:
            add_one(database)
        except BaseException:  # noqa: BLE001 - the parent must hear of anything
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    add_one(database)
    assert (os.waitstatus_to_exitcode(status), count(database)) == (0, 3)


def test_an_error_names_neither_statement_nor_values(database):
    with pytest.raises(BackendError) as caught, database.transaction() as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (:secret)"), {"secret": "s3cret"})
    assert "no such table: nowhere" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert "INSERT" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("not a url", "is no URL of a database"),
        ("nosuch://user:s3cret@host/name", "begins with 'nosuch'"),
        ("mysql+mysqldb://user:s3cret@host/name", "is not installed"),
    ],
)
def test_a_url_of_no_database_is_refused_without_repeating_it(url, said):
    with pytest.raises(ConfigurationError) as caught:
        Database(url, where="archive")
    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_database_that_is_down_is_a_backend_error_without_its_password():
    database = Database("postgresql://user:s3cret@127.0.0.1:1/name", where="users.toml")
    with pytest.raises(BackendError) as caught, database.transaction():
        pass
    assert "s3cret" not in str(caught.value)


def test_without_the_extra_the_error_names_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sqlalchemy", None)
    with pytest.raises(ConfigurationError) as caught:
        Database("sqlite:///some.db", where="users.toml")
    assert 'pip install "wsprovider[sql]"' in str(caught.value)
