"""The ledger by itself, called through Spyne without a wire: money, days, roles, and what must not be half done."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.live.postgres import Postgres
from wsprovider.exchange.principal import Principal, Proof
from wsprovider.server.create import load_classes  # installs Spyne's shim

ROOT = Path(__file__).resolve().parents[3]
Call = Callable[..., Any]


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL."""
    if (lacking := Postgres.available()) is not None:
        pytest.skip(lacking)
    with Postgres() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def call(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """Calls an operation as somebody."""
    from spyne import Application
    from spyne.protocol.soap import Soap11
    from spyne.server.null import NullServer

    url = f"sqlite:///{tmp_path / 'deeper' / 'ledger.sqlite3'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").fresh()
    monkeypatch.setenv("LEDGER_DATABASE", url)
    classes = load_classes(ROOT / "services" / "ledger" / "service.py", "services/ledger/service.py")
    application = Application(
        classes, tns="urn:wsprovider:ledger", in_protocol=Soap11(), out_protocol=Soap11()
    )
    here = threading.local()
    application.event_manager.add_listener("method_call", lambda ctx: setattr(ctx, "udc", here.caller))
    server = NullServer(application, ostr=False)
    types = {name.rpartition("}")[2]: kind for name, kind in application.interface.classes.items()}

    def called(who: str, operation: str, *arguments: Any, role: str = "admin") -> Any:
        here.caller = SimpleNamespace(principal=Principal(who, Proof.PASSWORD, roles=frozenset({role})))
        return getattr(server.service, operation)(*arguments)

    called.order = types["NewTransfer"]  # type: ignore[attr-defined]
    yield called
    sys.modules[f"{classes[0].__module__.partition('.')[0]}.tables"].database.close()


def opened(call: Call, owner: str, overdraft: str = "0") -> int:
    number = call("alice", "open", owner, Decimal(overdraft)).number
    assert isinstance(number, int)
    return number


def balances(call: Call, *numbers: int) -> list[Decimal]:
    return [call("bob", "account", number, role="user").balance for number in numbers]


def test_a_transfer_moves_money_and_says_who_and_when(call):
    bank, ann = opened(call, "bank", "1000.00"), opened(call, "Ann Özil")
    order = call.order(debit=bank, credit=ann, amount=Decimal("99.95"), text="wages")
    made = call("alice", "transfer", order)
    assert (made.author, made.amount, made.text, made.reference) == ("alice", Decimal("99.95"), "wages", None)
    assert made.value_date == datetime.now(UTC).date()
    assert abs(made.booked - datetime.now(UTC)) < timedelta(minutes=1)
    assert balances(call, bank, ann) == [Decimal("-99.95"), Decimal("99.95")]
    assert [one.number for one in call("bob", "accounts", "Ann Özil", role="user")] == [ann]
    assert [one.number for one in call("bob", "accounts", None)] == [bank, ann]


def test_amounts_are_exact_to_the_cent(call):
    bank, ann = opened(call, "bank", "999999999999.99"), opened(call, "ann")
    for amount in ("0.10", "0.20", "123456789012.34"):
        call("alice", "transfer", call.order(debit=bank, credit=ann, amount=Decimal(amount)))
    assert balances(call, ann) == [Decimal("123456789012.64")]
    assert call("bob", "statement", ann, None, None).after == Decimal("123456789012.64")


def test_what_is_not_covered_is_not_booked_to_the_last_cent(call):
    bank, ann = opened(call, "bank", "50"), opened(call, "ann")
    with pytest.raises(Exception, match=rf"Account {bank} has 50\.00 to spend") as refused:
        call("alice", "transfer", call.order(debit=bank, credit=ann, amount=Decimal("50.01")))
    assert (refused.value.number, refused.value.available) == (bank, Decimal(50))
    assert balances(call, bank, ann) == [0, 0]
    call("alice", "transfer", call.order(debit=bank, credit=ann, amount=Decimal("50.00")))
    assert balances(call, bank, ann) == [-50, 50]


def test_several_transfers_are_booked_together_or_not_at_all(call):
    bank, ann, ben = opened(call, "bank", "100"), opened(call, "ann"), opened(call, "ben")
    through = call.order(debit=bank, credit=ann, amount=Decimal(80))
    onward = call.order(debit=ann, credit=ben, amount=Decimal(80))
    too_much = call.order(debit=ben, credit=ann, amount=Decimal(81))
    nowhere = call.order(debit=ann, credit=999_999, amount=Decimal(1))
    for bad, words in ((too_much, "to spend"), (nowhere, "There is no account 999999")):
        with pytest.raises(Exception, match=words):
            call("alice", "transfer_all", [through, onward, bad])
        assert balances(call, bank, ann, ben) == [0, 0, 0]
        assert not call("alice", "statement", ann, None, None).transfers
    made = call("alice", "transfer_all", [through, onward])
    assert [one.amount for one in made] == [80, 80]
    assert balances(call, bank, ann, ben) == [-80, 0, 80]


def test_who_is_no_bookkeeper_reads_and_does_not_write(call):
    bank, ann = opened(call, "bank", "100"), opened(call, "ann")
    order = call.order(debit=bank, credit=ann, amount=Decimal(1))
    for operation, argument in (("transfer", order), ("transfer_all", [order])):
        with pytest.raises(Exception, match="Only bookkeepers"):
            call("bob", operation, argument, role="user")
    with pytest.raises(Exception, match="Only bookkeepers"):
        call("bob", "open", "bob", None, role="user")
    assert call("bob", "account", bank, role="user").balance == 0
    assert call("alice", "transfer", order).author == "alice"


def test_a_reference_is_booked_once(call):
    bank, ann = opened(call, "bank", "100"), opened(call, "ann")

    def order(amount: int) -> Any:
        return call.order(debit=bank, credit=ann, amount=Decimal(amount), reference="2026-1")

    first, again = call("alice", "transfer", order(5)), call("alice", "transfer", order(5))
    assert first.number == again.number
    with pytest.raises(Exception, match="stands for another transfer"):
        call("alice", "transfer", order(6))
    assert call("carol", "transfer", order(6)).number != first.number
    assert balances(call, ann) == [11]


def test_a_statement_stands_between_two_balances(call):
    bank, ann = opened(call, "bank", "100"), opened(call, "ann")
    for day, amount in ((1, 10), (2, 20), (3, 40)):
        made = call.order(debit=bank, credit=ann, amount=Decimal(amount), value_date=date(2026, 1, day))
        call("alice", "transfer", made)

    def told(*days: date | None) -> tuple[Any, list[Any], Any]:
        found = call("bob", "statement", ann, *days)
        return found.before, [one.amount for one in found.transfers], found.after

    assert told(None, None) == (0, [10, 20, 40], 70)
    assert told(date(2026, 1, 2), None) == (10, [20, 40], 70)
    assert told(None, date(2026, 1, 2)) == (0, [10, 20], 30)
    assert told(date(2026, 1, 3), date(2026, 1, 3)) == (30, [40], 70)
    assert call("bob", "statement", bank, None, None).after == -70


@pytest.mark.parametrize("same", [True, False])
def test_what_makes_no_sense_is_refused(call, same):
    bank, ann = opened(call, "bank", "100"), opened(call, "ann")
    order = call.order(debit=bank, credit=bank if same else ann, amount=Decimal(1))
    if same:
        with pytest.raises(Exception, match="are one account"):
            call("alice", "transfer", order)
    else:
        assert call("alice", "transfer", order).credit == ann


def test_transfers_at_the_same_moment_neither_lose_money_nor_wait_for_each_other(call):
    bank, ann = opened(call, "bank", "100"), opened(call, "ann", "100")
    refused = []

    def work(debit: int, credit: int) -> None:
        for _ in range(10):
            try:
                call("alice", "transfer", call.order(debit=debit, credit=credit, amount=Decimal(15)))
            except Exception as error:  # noqa: BLE001 - what it was is seen below
                refused.append(str(error))

    pairs = [(bank, ann), (ann, bank), (bank, ann)]
    threads = [threading.Thread(target=work, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert all("to spend" in one for one in refused), refused
    first, second = balances(call, bank, ann)
    assert first + second == 0
    assert first == -call("bob", "statement", ann, None, None).after
    assert first >= -100


def test_a_fork_makes_connections_of_its_own(call):
    bank, ann = opened(call, "bank", "100"), opened(call, "ann")
    order = call.order(debit=bank, credit=ann, amount=Decimal(1))
    child = os.fork()
    if child == 0:
        try:
            call("alice", "transfer", order)
        except BaseException:  # noqa: BLE001 - the parent is told by the status
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    call("alice", "transfer", order)
    assert balances(call, ann) == [2]


def test_a_url_that_is_none_is_told_at_start_without_its_password(monkeypatch):
    from wsprovider.words.errors import ConfigurationError

    path = ROOT / "services" / "ledger" / "service.py"
    monkeypatch.setenv("LEDGER_DATABASE", "nosuch://ann:geheim@host/ledger")
    with pytest.raises(ConfigurationError) as refused:
        load_classes(path, "services/ledger/service.py")
    assert "services/ledger/tables.py" in str(refused.value)
    assert "geheim" not in str(refused.value)
    monkeypatch.setenv("LEDGER_DATABASE", "sqlite:////nowhere/ledger.sqlite3")
    assert load_classes(path, "services/ledger/service.py")
