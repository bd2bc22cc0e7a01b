"""What the settings of a SQL user store say: the database, and where in it the users stand.

::

    kind = "sql"
    url_env = "USERS_URL"               # or url_file; or url, which holds no password
    query = "SELECT ..."                # in the place of the tables

    [users]                             # tables of the operator's own, by their columns
    table = "people"
    name = "login"
    password = "argon2"

    [roles]
    table = "people_roles"
    name = "login"
    role = "role"
"""

import re
from dataclasses import dataclass, field
from typing import Final

from wsprovider.adapters.keys.tables import Table
from wsprovider.adapters.users.settings import Settings

_SECRET: Final = re.compile(r"://[^/]*:[^/]*@")
_PLACE: Final = re.compile(r"(?<!:):name\b")


@dataclass(frozen=True, slots=True)
class Columns:
    """A table of users; each attribute is a column's name, None where there is no such column.

    Attributes:
        table: its name, ``schema.table`` where it needs one.
        name: what a user is called.
        password: an argon2id hash.
        clear_password: the password itself.
        disabled: true, or a number other than 0, for who is refused.
        enabled: false, 0 or NULL for who is refused.
        roles: a text, with commas between roles.
    """

    table: str
    name: str
    password: str | None = None
    clear_password: str | None = None
    disabled: str | None = None
    enabled: str | None = None
    roles: str | None = None


@dataclass(frozen=True, slots=True)
class RoleColumns:
    """A table with a row for each role of each user."""

    table: str
    name: str
    role: str


OUR_USERS: Final = Columns("wsprovider_users", "name", "password", "clear_password", "disabled")
OUR_ROLES: Final = RoleColumns("wsprovider_roles", "name", "role")


@dataclass(frozen=True, slots=True)
class SqlSettings:
    """Where users stand.

    Attributes:
        where: the settings file, for problems.
        url: of the database.
        users, roles: its tables; None for users: there is a query.
        query: gives the rows of the user ``:name``.
        hashes: gives some of the hashes that there are, so that it is known what most of them cost.
        remember: seconds for which a password that was right spares the next hash.
    """

    where: str
    url: str = field(repr=False)
    users: Columns | None = OUR_USERS
    roles: RoleColumns | None = OUR_ROLES
    query: str | None = None
    hashes: str | None = None
    remember: int = 300

    @property
    def ours(self) -> bool:
        """Whether the tables are those that ``wsprovider users tables`` makes."""
        return self.users is OUR_USERS


def read_sql_settings(settings: Settings) -> SqlSettings:
    """Read them.

    Raises:
        ConfigurationError: with everything that is wrong.
    """
    top = settings.top
    url = _url(settings)
    query, hashes = top.text("query"), top.text("hashes")
    users, roles = settings.table("users"), settings.table("roles")
    if query is not None and not _PLACE.search(query):
        top.problem("query", "asks for nobody: write :name where the name belongs")
    if query is not None and (users is not None or roles is not None):
        top.problem("query", "stands beside [users] or [roles]; keep one of them")
    if hashes is not None and query is None:
        top.problem("hashes", "belongs to a query; of tables it is known where their hashes stand")
    if users is None and roles is not None and query is None:
        top.problem("roles", "belongs to a table of users: name that in [users]")
    ours = users is None and query is None
    read = SqlSettings(
        str(settings.path),
        url,
        OUR_USERS if ours else None if users is None else _columns(users),
        OUR_ROLES if ours else None if roles is None else _role_columns(roles),
        query,
        hashes,
        settings.whole("remember", 300, 0, 3600),
    )
    settings.finish()
    return read


def _url(settings: Settings) -> str:
    top = settings.top
    plain = top.text("url")
    secret = settings.secret("url")
    if plain is not None and ("url_env" in top.values or "url_file" in top.values):
        top.problem("url", "stands beside url_env or url_file; keep one of them")
    if plain is not None and _SECRET.search(plain):
        top.problem(
            "url", "holds a password: name the variable (url_env) or the file (url_file) that holds it"
        )
    if plain is None and not {"url", "url_env", "url_file"} & top.values.keys():
        top.problem("url", "is missing: name the database, by url, url_env or url_file")
    return plain or secret or ""


def _columns(table: Table) -> Columns:
    password, clear = table.text("password"), table.text("clear_password")
    disabled, enabled = table.text("disabled"), table.text("enabled")
    if password is None and clear is None:
        table.problem("password", "is missing: name the column of hashes, or clear_password")
    if disabled is not None and enabled is not None:
        table.problem("enabled", "stands beside disabled; keep one of them")
    return Columns(
        _required(table, "table"),
        _required(table, "name"),
        password,
        clear,
        disabled,
        enabled,
        table.text("roles"),
    )


def _role_columns(table: Table) -> RoleColumns:
    return RoleColumns(*(_required(table, name) for name in ("table", "name", "role")))


def _required(table: Table, name: str) -> str:
    value = table.text(name)
    if value is None and name not in table.values:
        table.problem(name, "is missing")
    return value or ""
