"""Statements on the tables of a SQL user store, made from the names of their columns, and what their rows say."""

from collections.abc import Mapping, Sequence
from numbers import Number
from typing import Any, Final

from wsprovider.adapters.users.hashing import PARAMETERS, dummy_hash, read_parameters
from wsprovider.adapters.users.records import Entry
from wsprovider.adapters.users.sql_settings import OUR_ROLES, OUR_USERS, Columns, RoleColumns, SqlSettings

SAMPLE: Final = 1000
"""Hashes that are looked at to know what most of them cost."""

Row = Mapping[str, Any]
"""What the database gives: ``name``, and what there is of ``password``, ``clear_password``, ``disabled``,
``enabled``, ``roles`` (a text with commas, or an array), ``role``, and ``role_of``, whose role that is."""

_STAND_IN: Final = dummy_hash(PARAMETERS)
_TEXTS: Final = ("password", "clear_password", "disabled", "enabled", "roles")


def table_of(columns: Columns | RoleColumns) -> Any:
    """A table as SQLAlchemy has them; their names are quoted where they need it."""
    from sqlalchemy import column, table  # noqa: PLC0415 - an extra

    schema, _, name = columns.table.rpartition(".")
    names = [getattr(columns, field) for field in columns.__slots__ if field != "table"]
    return table(name, *(column(one) for one in names if one is not None), schema=schema or None)


def everybody(settings: SqlSettings) -> Any:
    """A statement that gives every user of the tables, a row for each role.

    Raises:
        RuntimeError: the settings have a query; nobody can ask it for everybody.
    """
    if settings.users is None:
        raise RuntimeError("a query gives one user")
    return _people(settings.users, settings.roles)[0]


def one_user(settings: SqlSettings) -> Any:
    """A statement that gives the rows of the user ``:name``."""
    from sqlalchemy import bindparam, text  # noqa: PLC0415 - an extra

    if settings.users is None:
        return text(settings.query or "")
    statement, name = _people(settings.users, settings.roles)
    return statement.where(name == bindparam("name"))


def _people(users: Columns, roles: RoleColumns | None) -> tuple[Any, Any]:
    """What gives everybody, and the column of names in it."""
    from sqlalchemy import select  # noqa: PLC0415 - an extra

    people = table_of(users)
    name = people.c[users.name]
    columns = ((text, getattr(users, text)) for text in _TEXTS)
    found = [name.label("name"), *(people.c[one].label(text) for text, one in columns if one is not None)]
    if roles is None:
        return select(*found), name
    given = table_of(roles)
    found += [given.c[roles.name].label("role_of"), given.c[roles.role].label("role")]
    return select(*found).outerjoin_from(people, given, given.c[roles.name] == name), name


def some_hashes(settings: SqlSettings) -> Any | None:
    """A statement that gives some of the hashes; None where nothing says how to ask for them."""
    from sqlalchemy import select, text  # noqa: PLC0415 - an extra

    if settings.hashes is not None:
        return text(settings.hashes)
    if settings.users is None or settings.users.password is None:
        return None
    column = table_of(settings.users).c[settings.users.password]
    return select(column).where(column.is_not(None)).limit(SAMPLE)


def some_clear_password(settings: SqlSettings) -> Any | None:
    """A statement that gives a row if there is any clear password; None where it can have no column."""
    from sqlalchemy import literal, select  # noqa: PLC0415 - an extra

    if settings.users is None or settings.users.clear_password is None:
        return None
    column = table_of(settings.users).c[settings.users.clear_password]
    return select(literal(1)).where(column.is_not(None), column != "").limit(1)


def schema() -> Any:
    """The tables of our own, with their types."""
    from sqlalchemy import Boolean, Column, ForeignKey, MetaData, String, Table  # noqa: PLC0415 - an extra

    metadata, users, roles = MetaData(), OUR_USERS, OUR_ROLES
    Table(
        users.table,
        metadata,
        Column(users.name, String(256), primary_key=True),
        Column(users.password, String(512)),
        Column(users.clear_password, String(512)),
        Column(users.disabled, Boolean, nullable=False),
    )
    owner = ForeignKey(f"{users.table}.{users.name}", ondelete="CASCADE")
    Table(
        roles.table,
        metadata,
        Column(roles.name, String(256), owner, primary_key=True),
        Column(roles.role, String(256), primary_key=True),
    )
    return metadata


def entry_of(name: str, rows: Sequence[Row]) -> Entry | None:
    """The user whom rows describe; None for nobody, and for several of exactly that name.

    Databases find more than what is written exactly so, by their collations; that is left out here. What is in
    no form that can be used counts as no password; who may be disabled, is.
    """
    mine = [row for row in rows if row["name"] == name]
    if not mine or len({tuple(str(row.get(one)) for one in _TEXTS) for row in mine}) > 1:
        return None
    row = mine[0]
    clear, password = row.get("clear_password"), row.get("password")
    clear = clear if isinstance(clear, str) and clear else None
    # what is not there is looked at all the same, for whoever measures
    password = password if isinstance(password, str) and password else None
    fits = usable(password or _STAND_IN)
    return Entry(
        name,
        password=password if fits and clear is None else None,
        clear_password=clear,
        roles=_listed(row.get("roles")) | _given(name, mine),
        disabled=_set(row.get("disabled"), unknown=True) or not _set(row.get("enabled", 1), unknown=False),
    )


def usable(password: object) -> bool:
    """Whether it is a hash that can be checked."""
    try:
        return isinstance(password, str) and bool(read_parameters(password))
    except ValueError:
        return False


def _given(name: str, rows: Sequence[Row]) -> frozenset[str]:
    given = (row.get("role") for row in rows if row.get("role_of", name) == name)
    return frozenset(role for role in given if isinstance(role, str) and role)


def _listed(roles: object) -> frozenset[str]:
    """The roles of a column: a text with commas, or an array."""
    parts = roles.split(",") if isinstance(roles, str) else roles if isinstance(roles, list) else []
    return frozenset(role.strip() for role in parts if isinstance(role, str) and role.strip())


def _set(value: object, *, unknown: bool) -> bool:
    """Whether a column is true; NULL is not, and of what is neither a truth nor a number nobody knows."""
    return bool(value) if value is None or isinstance(value, Number) else unknown
