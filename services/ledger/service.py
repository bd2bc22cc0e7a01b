"""A ledger: accounts, and transfers between them, in a SQL database.

Nothing here is about signatures, passwords or HTTP. Who calls stands in ``ctx.udc.principal``, whichever way it was
proven, and is kept with every transfer; bookkeepers write, everybody else reads.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from spyne import Array, Date, ServiceBase, Unicode, rpc
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from . import model, tables
from .model import NewTransfer, NoSuchAccount, NotAllowed, NotCovered, NotPossible, Number, Overdraft, Text
from .tables import transaction

BOOKKEEPER = "admin"
_NOTHING = Decimal(0)
_ACCOUNT = ("number", "owner", "opened", "balance", "overdraft")
_ORDER = ("debit", "credit", "amount", "value_date", "text", "reference")
_TRANSFER = ("number", *_ORDER, "booked", "author")


class Ledger(ServiceBase):
    """Accounts and transfers."""

    @rpc(Text, Overdraft, _returns=model.Account, _throws=[NotAllowed])
    def open(ctx, owner, overdraft):
        """Open an account."""
        _bookkeeper(ctx)
        with transaction() as session:
            account = tables.Account(
                owner=owner, opened=_now().date(), balance=_NOTHING, overdraft=overdraft or _NOTHING
            )
            session.add(account)
        return _account(account)

    @rpc(Number, _returns=model.Account, _throws=[NoSuchAccount])
    def account(ctx, number):
        """One account."""
        with transaction() as session:
            return _account(_found(session, number))

    @rpc(Unicode(min_len=1, max_len=140), _returns=Array(model.Account))
    def accounts(ctx, owner):
        """The accounts of one owner, or of all."""
        wanted = select(tables.Account).order_by(tables.Account.number).limit(1_000)
        with transaction() as session:
            found = session.scalars(wanted if owner is None else wanted.where(tables.Account.owner == owner))
            return [_account(one) for one in found]

    @rpc(
        NewTransfer.customize(min_occurs=1, nillable=False),
        _returns=model.Transfer,
        _throws=[NoSuchAccount, NotCovered, NotPossible, NotAllowed],
    )
    def transfer(ctx, order):
        """Book one transfer."""
        return _book(ctx, [order])[0]

    @rpc(
        Array(NewTransfer, min_occurs=1, nillable=False),
        _returns=Array(model.Transfer),
        _throws=[NoSuchAccount, NotCovered, NotPossible, NotAllowed],
    )
    def transfer_all(ctx, orders):
        """Book several transfers, in their order: all of them, or none."""
        return _book(ctx, orders or [])

    @rpc(Number, Date, Date, _returns=model.Statement, _throws=[NoSuchAccount])
    def statement(ctx, number, since, until):
        """What was booked on an account from one day to another, both included; without them from ever to ever."""
        booked = tables.Transfer
        with transaction() as session:
            account = _found(session, number)
            within = [or_(booked.debit == number, booked.credit == number)]
            within += [] if since is None else [booked.value_date >= since]
            within += [] if until is None else [booked.value_date <= until]
            transfers = list(session.scalars(select(booked).where(*within).order_by(booked.number)))
            before = _NOTHING if since is None else _sum(session, number, booked.value_date < since)
        moved = sum((one.amount if one.credit == number else -one.amount for one in transfers), _NOTHING)
        return model.Statement(
            account=_account(account),
            before=before,
            transfers=[_transfer(one) for one in transfers],
            after=before + moved,
        )


def _bookkeeper(ctx):
    if BOOKKEEPER not in ctx.udc.principal.roles:
        raise NotAllowed


def _book(ctx, orders):
    """One transaction: a Fault that is raised in the middle of it undoes what was booked before."""
    _bookkeeper(ctx)
    author, now = ctx.udc.principal.name, _now()
    try:
        with transaction() as session:
            accounts = _locked(session, {number for one in orders for number in (one.debit, one.credit)})
            booked = [_booked(session, accounts, one, author, now) for one in orders]
    except IntegrityError:  # somebody else used the reference at this very moment
        raise NotPossible("One of the references stands for another transfer already.") from None
    return [_transfer(one) for one in booked]


def _locked(session: Session, numbers: Iterable[int]) -> dict[int, tables.Account]:
    """The accounts, which nobody else changes before the end; in one order, so that nobody waits in a circle."""
    return {number: _found(session, number, locked=True) for number in sorted(numbers)}


def _booked(session, accounts, order, author, now):
    """Book one transfer; or find it, where the same order was booked before."""
    if order.reference is not None:
        known = session.scalar(select(tables.Transfer).filter_by(author=author, reference=order.reference))
        if known is not None:
            return _again(known, order)
    if order.debit == order.credit:
        raise NotPossible("Debit and credit are one account.")
    debit, credit = accounts[order.debit], accounts[order.credit]
    if debit.balance + debit.overdraft < order.amount:
        raise NotCovered(debit.number, debit.balance + debit.overdraft)
    debit.balance -= order.amount
    credit.balance += order.amount
    values = {name: getattr(order, name) for name in _ORDER}
    values["value_date"] = order.value_date or now.date()
    transfer = tables.Transfer(**values, booked=now, author=author)
    session.add(transfer)
    session.flush()
    return transfer


def _again(known, order):
    for name in ("debit", "credit", "amount"):
        if getattr(known, name) != getattr(order, name):
            raise NotPossible(f"The reference {order.reference} stands for another transfer already.")
    return known


def _found(session: Session, number: int, *, locked: bool = False) -> tables.Account:
    account = session.get(tables.Account, number, with_for_update=True if locked else None)
    if account is None:
        raise NoSuchAccount(number)
    return account


def _sum(session: Session, number: int, within: ColumnElement[bool]) -> Decimal:
    """What transfers have brought to an account."""

    def total(side: InstrumentedAttribute[int]) -> Decimal:
        found = session.scalar(select(func.sum(tables.Transfer.amount)).where(side == number, within))
        return found or _NOTHING

    return total(tables.Transfer.credit) - total(tables.Transfer.debit)


def _now() -> datetime:
    return datetime.now(UTC)


def _account(row: tables.Account) -> model.Account:
    return model.Account(**{name: getattr(row, name) for name in _ACCOUNT})


def _transfer(row: tables.Transfer) -> model.Transfer:
    return model.Transfer(**{name: getattr(row, name) for name in _TRANSFER})
