"""Where orders are kept: one SQLite file that all workers share (``ORDERS_DATABASE``, or below ``var``)."""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    customer TEXT NOT NULL,
    placed TEXT NOT NULL,
    status TEXT NOT NULL,
    content TEXT NOT NULL,
    remarks TEXT NOT NULL DEFAULT '[]'
)
"""


def add(customer: str, placed: str, content: dict[str, Any]) -> int:
    """Keep a new order; its number."""
    with _database() as database:
        cursor = database.execute(
            "INSERT INTO orders (customer, placed, status, content) VALUES (?, ?, 'placed', ?)",
            (customer, placed, json.dumps(content)),
        )
        return int(cursor.lastrowid or 0)


def find(number: int) -> sqlite3.Row | None:
    """The order of that number."""
    with _database() as database:
        row: sqlite3.Row | None = database.execute(
            "SELECT * FROM orders WHERE number = ?", (number,)
        ).fetchone()
        return row


def list_of(customer: str | None, status: str | None) -> list[sqlite3.Row]:
    """The latest orders, newest first; of one customer and one status unless those are None."""
    with _database() as database:
        return database.execute(
            "SELECT * FROM orders WHERE (:customer IS NULL OR customer = :customer) "
            "AND (:status IS NULL OR status = :status) "
            "ORDER BY number DESC LIMIT 100",
            {"customer": customer, "status": status},
        ).fetchall()


def cancel(number: int) -> bool:
    """Cancel an order that is still placed; false when it was not."""
    with _database() as database:
        changed = database.execute(
            "UPDATE orders SET status = 'cancelled' WHERE number = ? AND status = 'placed'", (number,)
        )
        return changed.rowcount == 1


def remark(number: int, text: str) -> None:
    """Add a remark, in one statement: two workers may do so at once."""
    with _database() as database:
        database.execute(
            "UPDATE orders SET remarks = json_insert(remarks, '$[#]', ?) WHERE number = ?", (text, number)
        )


@contextmanager
def _database() -> Iterator[sqlite3.Connection]:
    path = Path(os.environ.get("ORDERS_DATABASE", "var/orders.sqlite3"))
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path, timeout=10)
    try:
        database.row_factory = sqlite3.Row
        database.execute(_SCHEMA)
        with database:
            yield database
    finally:
        database.close()
