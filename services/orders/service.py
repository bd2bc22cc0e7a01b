"""Orders: customers see their own, clerks see all of them.

Nothing here is about signatures or encryption. Who calls stands in ``ctx.udc.principal``, proven by
whatever policy the endpoint has: a user name at one address, a certificate's holder at another.
"""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

from spyne import Array, Boolean, Integer32, ServiceBase, Unicode, rpc

from . import store
from .model import Address, Line, NewOrder, NoSuchOrder, NotPossible, Order, Status

CLERK = "admin"


class Orders(ServiceBase):
    """Place, look up, cancel and comment orders."""

    @rpc(NewOrder.customize(min_occurs=1, nillable=False), _returns=Order, _throws=[NotPossible])
    def place(ctx, order):
        """Place an order for the caller."""
        if not order.lines:
            raise NotPossible("An order needs at least one line.")
        if order.deliver_by is not None and order.deliver_by < datetime.now(UTC).date():
            raise NotPossible("Nobody delivers into the past.")
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        number = store.add(ctx.udc.principal.name, now, _to_json(order))
        return _order(store.find(number))

    @rpc(Integer32(min_occurs=1, nillable=False), _returns=Order, _throws=[NoSuchOrder])
    def find(ctx, number):
        """One order of the caller."""
        return _order(_visible(ctx, number))

    @rpc(Status, Boolean(default=False), _returns=Array(Order))
    def list(ctx, status, everybody):
        """The latest orders: the caller's, or everybody's where a clerk asks for them."""
        all_of_them = everybody and CLERK in ctx.udc.principal.roles
        customer = None if all_of_them else ctx.udc.principal.name
        return [_order(row) for row in store.list_of(customer, status)]

    @rpc(Integer32(min_occurs=1, nillable=False), _returns=Order, _throws=[NoSuchOrder, NotPossible])
    def cancel(ctx, number):
        """Cancel an order that is still placed."""
        _visible(ctx, number)
        if not store.cancel(number):
            raise NotPossible(f"Order {number} is cancelled already.")
        return _order(store.find(number))

    @rpc(Integer32(min_occurs=1, nillable=False), Unicode(max_len=1000), _is_async=True)
    def remark(ctx, number, text):
        """Add a remark to an order; one-way, so there is no answer, not even a refusal."""
        row = store.find(number)
        if text and row is not None and _may_see(ctx, row):
            store.remark(number, f"{ctx.udc.principal.name}: {text}")


def _may_see(ctx, row):
    principal = ctx.udc.principal
    return row["customer"] == principal.name or CLERK in principal.roles


def _visible(ctx, number):
    row = store.find(number)
    if row is None or not _may_see(ctx, row):
        raise NoSuchOrder(number)
    return row


def _to_json(order):
    return {
        "deliver_to": {key: getattr(order.deliver_to, key) for key in ("name", "street", "city", "country")},
        "deliver_by": order.deliver_by.isoformat() if order.deliver_by else None,
        "lines": [
            {"sku": line.sku, "quantity": line.quantity, "price": str(line.price)} for line in order.lines
        ],
    }


def _order(row):
    content = json.loads(row["content"])
    lines = [
        Line(sku=line["sku"], quantity=line["quantity"], price=Decimal(line["price"]))
        for line in content["lines"]
    ]
    return Order(
        number=row["number"],
        customer=row["customer"],
        placed=datetime.fromisoformat(row["placed"]),
        status=row["status"],
        total=sum((line.quantity * line.price for line in lines), Decimal(0)),
        content=NewOrder(
            deliver_to=Address(**content["deliver_to"]),
            deliver_by=date.fromisoformat(content["deliver_by"]) if content["deliver_by"] else None,
            lines=lines,
        ),
        remarks=json.loads(row["remarks"]),
    )
