"""The order service by itself, called through Spyne without a wire: types, roles, faults, one-way."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from wsprovider.exchange.principal import Principal, Proof
from wsprovider.server.create import load_classes  # installs Spyne's shim

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from spyne import Application
    from spyne.protocol.soap import Soap11
    from spyne.server.null import NullServer

    monkeypatch.setenv("ORDERS_DATABASE", str(tmp_path / "deeper" / "orders.sqlite3"))
    classes = load_classes(ROOT / "services" / "orders" / "service.py", "services/orders/service.py")
    application = Application(
        classes, tns="urn:wsprovider:orders", in_protocol=Soap11(), out_protocol=Soap11()
    )
    caller = SimpleNamespace(principal=None)
    application.event_manager.add_listener("method_call", lambda ctx: setattr(ctx, "udc", caller))
    server = NullServer(application, ostr=False)

    def call(who: str, operation: str, *arguments, roles: set[str] | None = None):
        caller.principal = Principal(who, Proof.PASSWORD, roles=frozenset(roles or ()))
        return getattr(server.service, operation)(*arguments)

    call.types = application.interface.classes
    return call


def _order(call, *lines: tuple[str, int, str], by: date | None = None):
    types = {name.rpartition("}")[2]: cls for name, cls in call.types.items()}
    address = types["Address"](name="Ann", street="High Street 1", city="Leeds", country="GB")
    made = [types["Line"](sku=sku, quantity=quantity, price=Decimal(price)) for sku, quantity, price in lines]
    return types["NewOrder"](deliver_to=address, deliver_by=by, lines=made)


def test_an_order_comes_back_as_it_was_placed_with_its_total(call):
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    placed = call("alice", "place", _order(call, ("AB-1234", 3, "9.99"), ("CD-5678", 1, "0.03"), by=tomorrow))
    found = call("alice", "find", placed.number)
    assert found.total == Decimal("30.00")
    assert (found.customer, str(found.status), found.content.deliver_by) == ("alice", "placed", tomorrow)
    assert found.content.deliver_to.city == "Leeds"
    assert [line.sku for line in found.content.lines] == ["AB-1234", "CD-5678"]
    assert abs(found.placed - datetime.now(UTC)) < timedelta(minutes=1)


def test_somebody_elses_order_is_as_if_it_were_not_there(call):
    number = call("alice", "place", _order(call, ("AB-1234", 1, "1"))).number
    with pytest.raises(Exception, match=f"There is no order {number} of yours") as other:
        call("bob", "find", number)
    with pytest.raises(Exception, match="There is no order 999 of yours") as none:
        call("bob", "find", 999)
    assert type(other.value) is type(none.value)
    assert call("carol", "find", number, roles={"admin"}).number == number


def test_lists_are_the_callers_own_unless_a_clerk_asks_for_all(call):
    for who in ("alice", "bob", "alice"):
        call(who, "place", _order(call, ("AB-1234", 1, "1")))
    assert [order.customer for order in call("alice", "list", None, False)] == ["alice", "alice"]
    assert [order.customer for order in call("bob", "list", None, True)] == ["bob"]
    everybody = call("carol", "list", None, True, roles={"admin"})
    assert [order.customer for order in everybody] == ["alice", "bob", "alice"]


def test_an_order_is_cancelled_once(call):
    number = call("alice", "place", _order(call, ("AB-1234", 1, "1"))).number
    assert str(call("alice", "cancel", number).status) == "cancelled"
    assert [order.number for order in call("alice", "list", "cancelled", False)] == [number]
    assert call("alice", "list", "placed", False) == []
    with pytest.raises(Exception, match="cancelled already"):
        call("alice", "cancel", number)


@pytest.mark.parametrize(("lines", "days"), [((), None), ((("AB-1234", 1, "1"),), -1)])
def test_what_nobody_can_deliver_is_refused(call, lines, days):
    by = None if days is None else datetime.now(UTC).date() + timedelta(days=days)
    with pytest.raises(Exception, match=r"needs at least one line|into the past"):
        call("alice", "place", _order(call, *lines, by=by))


def test_remarks_are_kept_where_the_caller_may_see_the_order(call):
    number = call("alice", "place", _order(call, ("AB-1234", 1, "1"))).number
    call("alice", "remark", number, "ring twice")
    call("bob", "remark", number, "never mind")
    call("carol", "remark", number, "noted", roles={"admin"})
    assert call("alice", "find", number).remarks == ["alice: ring twice", "carol: noted"]
