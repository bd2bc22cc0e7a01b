"""Changing the users of a SQL store: rows of its tables, each change one transaction."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wsprovider.adapters.databases import Database
from wsprovider.adapters.users.records import Entry
from wsprovider.adapters.users.sql_settings import Columns, SqlSettings
from wsprovider.adapters.users.sql_tables import entry_of, everybody, one_user, schema, table_of
from wsprovider.words.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from sqlalchemy import Connection


class SqlEditor:
    """The users of one store; see :class:`wsprovider.adapters.users.editing.Editor`."""

    def __init__(self, settings: SqlSettings) -> None:
        """Take the settings; nothing is connected to yet.

        Raises:
            ConfigurationError: they name a query, through which nothing can be changed.
        """
        if settings.users is None:
            what = "finds users and cannot change them: do that in the database, or name tables in [users]"
            raise ConfigurationError([Problem(f"{settings.where}: query", what)])
        self._settings, self._columns = settings, settings.users
        self._users = table_of(settings.users)
        self._roles = None if settings.roles is None else table_of(settings.roles)
        self._database = Database(settings.url, where=settings.where)

    def close(self) -> None:
        """Release the connections."""
        self._database.close()

    def make_tables(self) -> None:
        """Make the tables of our own, where they are not there.

        Raises:
            ConfigurationError: the settings name others.
            BackendError: the database did not answer, or refused.
        """
        self._check_ours()
        with self._database.transaction() as connection:
            schema().create_all(connection)

    def tables_are_there(self) -> bool:
        """Whether the database has the tables that the settings name.

        Raises:
            BackendError: the database did not answer.
        """
        from sqlalchemy import inspect  # noqa: PLC0415 - an extra

        schema_name, _, table = self._columns.table.rpartition(".")
        with self._database.reading() as connection:
            return inspect(connection).has_table(table, schema=schema_name or None)

    def tables(self) -> list[str]:
        """What makes the tables of our own, in the words of this database; nothing is changed.

        Raises:
            ConfigurationError: the settings name others.
            BackendError: the database did not answer.
        """
        from sqlalchemy.schema import CreateTable  # noqa: PLC0415 - an extra

        self._check_ours()
        with self._database.reading() as connection:
            made = [CreateTable(one).compile(connection) for one in schema().sorted_tables]
        return [f"{str(one).strip()};" for one in made]

    def entries(self) -> list[Entry]:
        """See :meth:`wsprovider.adapters.users.editing.Editor.entries`."""
        rows: dict[str, list[dict[str, Any]]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(everybody(self._settings)).mappings():
                rows.setdefault(row["name"], []).append(dict(row))
        found = (entry_of(name, rows[name]) for name in sorted(rows))
        return [entry for entry in found if entry is not None]

    def find(self, name: str) -> Entry | None:
        """See :meth:`wsprovider.adapters.users.editing.Editor.find`."""
        with self._database.reading() as connection:
            return entry_of(name, self._rows(connection, name))

    def put(self, entry: Entry) -> None:
        """See :meth:`wsprovider.adapters.users.editing.Editor.put`."""
        values, columns = self._values(entry), self._columns
        with self._database.transaction() as connection:
            if self._there(connection, entry.name):
                named = self._users.c[columns.name] == entry.name
                connection.execute(self._users.update().where(named).values(values))
            else:
                connection.execute(self._users.insert().values({columns.name: entry.name, **values}))
            self._put_roles(connection, entry)

    def disable(self, name: str, *, disabled: bool) -> bool:
        """See :meth:`wsprovider.adapters.users.editing.Editor.disable`."""
        state = self._state(disabled=disabled)
        if not state:
            raise self._lacks("disabled", "who is disabled")
        with self._database.transaction() as connection:
            there = self._there(connection, name)
            if there:
                named = self._users.c[self._columns.name] == name
                connection.execute(self._users.update().where(named).values(state))
            return there

    def remove(self, name: str) -> bool:
        """See :meth:`wsprovider.adapters.users.editing.Editor.remove`."""
        with self._database.transaction() as connection:
            there = self._there(connection, name)
            if there:
                self._put_roles(connection, Entry(name))
                connection.execute(self._users.delete().where(self._users.c[self._columns.name] == name))
            return there

    def _rows(self, connection: "Connection", name: str) -> Sequence[dict[str, Any]]:
        found = connection.execute(one_user(self._settings), {"name": name}).mappings()
        return [dict(row) for row in found]

    def _there(self, connection: "Connection", name: str) -> bool:
        """Whether there is such a user, and whoever the database takes for the same is not another."""
        names = {row["name"] for row in self._rows(connection, name)}
        if names - {name}:
            other = ascii(min(names - {name}, key=str))
            what = f"the database takes {name!a} and {other} for the same name; choose another"
            raise ConfigurationError([Problem(self._settings.where, what)])
        return bool(names)

    def _values(self, entry: Entry) -> dict[str, object]:
        """The row of an entry, without its name."""
        columns = self._columns
        values: dict[str, object] = dict(self._state(disabled=entry.disabled))
        for key, secret in (("password", entry.password), ("clear_password", entry.clear_password)):
            column = getattr(columns, key)
            if column is not None:
                values[column] = secret
            elif secret is not None:
                raise self._lacks(key, "a hash" if key == "password" else "a password in clear")
        if columns.roles is not None:
            if any("," in role for role in entry.roles):
                raise self._lacks("roles", "a role with a comma in its name")
            values[columns.roles] = ", ".join(sorted(entry.roles))
        elif entry.roles and self._roles is None:
            raise self._lacks("roles", "roles")
        return values

    def _state(self, *, disabled: bool) -> dict[str, bool]:
        columns: Columns = self._columns
        if columns.disabled is not None:
            return {columns.disabled: disabled}
        return {} if columns.enabled is None else {columns.enabled: not disabled}

    def _put_roles(self, connection: "Connection", entry: Entry) -> None:
        table, columns = self._roles, self._settings.roles
        if table is None or columns is None:
            return
        connection.execute(table.delete().where(table.c[columns.name] == entry.name))
        rows = [{columns.name: entry.name, columns.role: role} for role in sorted(entry.roles)]
        if rows:
            connection.execute(table.insert(), rows)

    def _check_ours(self) -> None:
        if not self._settings.ours:
            what = "names tables of your own; those are made by whoever they belong to"
            raise ConfigurationError([Problem(f"{self._settings.where}: [users]", what)])

    def _lacks(self, key: str, kept: str) -> ConfigurationError:
        what = f"no column can hold {kept}; name one in [users] or change it in the database"
        return ConfigurationError([Problem(f"{self._settings.where}: [users].{key}", what)])
