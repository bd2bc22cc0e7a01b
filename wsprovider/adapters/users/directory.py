"""An LDAP directory (RFC 4511) through ldap3 (the extra ``wsprovider[ldap]``): searches, and whether a password is right.

What ldap3 does by itself and must not (docs/decisions/0066-user-stores.md): its check of TLS certificates is not that of
OpenSSL; passwords that are texts are changed (SASLprep); connections that were not made, or that a ``with`` block
has left, keep their sockets. A connection serves one thread at a time. Whatever goes wrong between here and the
directory is a BackendError; only a directory that has answered says that a password is wrong.
"""

import contextlib
import ssl
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wsprovider.adapters.shared.forking import watch
from wsprovider.adapters.users.ldap_settings import ANYTHING, LdapSettings, Server
from wsprovider.words.errors import BackendError, ConfigurationError, Problem

_LACKING: Final = 'ldap3 is not installed; install the extra: pip install "wsprovider[ldap]"'
_SUCCESS: Final = 0
_SIZE_LIMIT: Final = 4
_NO_SUCH_OBJECT: Final = 32
_WRONG: Final = frozenset({19, 32, 48, 49, 53})
"""RFC 4511, section 4.1.9: constraintViolation (locked after too many), noSuchObject, inappropriateAuthentication (has no
password), invalidCredentials, unwillingToPerform (disabled): the directory does not let this user in."""
_TIRED: Final = 10.0
_AGAIN: Final = 1.0
"""Seconds after a failure in which a server is asked after the others, and not at all."""


@dataclass(frozen=True, slots=True)
class Found:
    """One entry; values of attributes by their names in lower case."""

    dn: str
    values: dict[str, list[bytes]]

    def of(self, attribute: str) -> list[bytes]:
        """An attribute's values."""
        return self.values.get(attribute.lower(), [])

    def texts(self, attribute: str) -> list[str]:
        """An attribute's values that are UTF-8."""
        found = []
        for value in self.of(attribute):
            with contextlib.suppress(UnicodeDecodeError):
                found.append(value.decode())
        return found


def escaped(text: str) -> str:
    r"""A value for a filter or a name: ``\\`` and two digits in the place of all that is no letter and no digit.

    Octets of UTF-8, as RFC 4515, section 3, and RFC 4514, section 2.4, both have them.
    """
    return "".join(
        chr(one) if one < 128 and chr(one).isalnum() else f"\\{one:02x}" for one in text.encode("utf-8")
    )


def library(where: str) -> Any:
    """The module ``ldap3``.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # it imports names that pyasn1 has renamed
            import ldap3  # noqa: PLC0415 - an extra: only who names a directory needs it
            import ldap3.core.exceptions  # noqa: PLC0415
    except ImportError:
        raise ConfigurationError([Problem(where, _LACKING)]) from None
    return ldap3


class Directory:
    """One directory; shared by all threads, and by no two processes."""

    def __init__(self, settings: LdapSettings, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Connect to nothing yet.

        Raises:
            ConfigurationError: ldap3 is not installed.
        """
        self._ldap3 = library(settings.where)
        self._gone = (OSError, self._ldap3.core.exceptions.LDAPExceptionError)
        self._settings, self._monotonic = settings, monotonic
        self._context = None
        if settings.authorities is not None:
            self._context = ssl.create_default_context(cadata=settings.authorities)
        self._failed: dict[Server, float] = {}
        self._lock = threading.Lock()
        self._idle: list[Any] = []
        self._closed = False
        watch(self)

    def proves(self, dn: str, password: bytes) -> bool:
        """Whether the directory lets somebody in, by a simple bind (RFC 4513, section 5.1.3) on a connection of its own.

        Raises:
            BackendError: no server answered.
        """
        if not dn or not password:  # a bind without a password is one as nobody, and succeeds
            return False
        if b"\0" in password or not _utf8(password):  # some would take it for what stands before
            return False
        connection = None
        try:
            connection, result = self._bound(dn, password)
        finally:
            _discard(connection)
        if result["result"] not in {_SUCCESS, *_WRONG}:
            raise BackendError(f"LDAP bind: {_told(result)}")
        return bool(result["result"] == _SUCCESS)

    def search(
        self, base: str, search: str, attributes: Sequence[str], *, below: bool = True, limit: int = 0
    ) -> list[Found]:
        """The entries that match, as the account of ours sees them.

        Args:
            search: a filter (RFC 4515).
            below: all below the base; else that entry itself.
            limit: how many are wanted at the most; 0: all.

        Raises:
            BackendError: no server answered, or not with everything.
        """
        scope = self._ldap3.SUBTREE if below else self._ldap3.BASE
        arguments = {"search_scope": scope, "attributes": list(attributes) or ["1.1"], "size_limit": limit}
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is not None:
            try:
                connection.search(base, search, **arguments)
            except Exception:  # noqa: BLE001 - it was cut while nobody used it, which is for a new one to say
                _discard(connection)
                connection = None
        if connection is None:
            connection = self._reader()
            try:
                connection.search(base, search, **arguments)
            except Exception as error:  # noqa: BLE001 - what is no LDAP raises anything
                _discard(connection)
                raise _backend(error) from None
        return self._answer(connection, limit)

    def close(self) -> None:
        """End the connections that nobody uses; the others end with their use."""
        with self._lock:
            idle, self._idle, self._closed = self._idle, [], True
        for connection in idle:
            _discard(connection)

    def _answer(self, connection: Any, limit: int) -> list[Found]:
        """What a search has found; the connection is free again."""
        result, response = connection.result, connection.response
        with self._lock:
            keep = not self._closed
            if keep:
                self._idle.append(connection)
        if not keep:
            _discard(connection)
        if result["result"] == _NO_SUCH_OBJECT:
            return []
        if result["result"] != _SUCCESS and not (limit and result["result"] == _SIZE_LIMIT):
            raise BackendError(f"LDAP search: {_told(result)}")
        return [
            Found(one["dn"], {name.lower(): list(values) for name, values in one["raw_attributes"].items()})
            for one in response
            if one["type"] == "searchResEntry"
        ]

    def _reader(self) -> Any:
        """A connection of the account that reads."""
        settings = self._settings
        password = None if settings.bind_password is None else settings.bind_password.encode()
        connection, result = self._bound(settings.bind_dn, password)
        if result["result"] != _SUCCESS:
            _discard(connection)
            raise BackendError(f"LDAP bind as {settings.bind_dn}: {_told(result)}")
        return connection

    def _bound(self, dn: str | None, password: bytes | None) -> tuple[Any, dict[str, Any]]:
        """A connection to the first server that answers, and what it said to a bind."""
        why = "every server failed a moment ago"
        for server in self._in_order():
            connection = None
            try:
                connection = self._connection(server, dn, password)
                connection.open(read_server_info=False)
                if server.starttls:
                    connection.start_tls(read_server_info=False)
                if dn is None:
                    return connection, {"result": _SUCCESS}
                connection.bind(read_server_info=False)
            except Exception as error:  # noqa: BLE001 - what is no LDAP raises anything
                _discard(connection)
                if isinstance(error, self._gone):  # and no user's odd name or password
                    self._failed[server] = self._monotonic()
                why = f"{server.url}: {_backend(error)}"
            else:
                self._failed.pop(server, None)
                return connection, connection.result
        raise BackendError(f"no LDAP server answered; {why}")

    def _in_order(self) -> list[Server]:
        now = self._monotonic()
        ago = {server: now - self._failed.get(server, -_TIRED) for server in self._settings.servers}
        fine = [server for server in ago if ago[server] >= _TIRED]
        return fine + [server for server in ago if _AGAIN <= ago[server] < _TIRED]

    def _connection(self, server: Server, dn: str | None, password: bytes | None) -> Any:
        ldap3, timeout = self._ldap3, self._settings.timeout
        # one Server for each connection: it holds the state of its connection
        there = ldap3.Server(
            f"[{server.host}]" if ":" in server.host else server.host,
            port=server.port,
            use_ssl=server.tls,
            tls=None if self._context is None else _tls(ldap3, self._context, server.host),
            get_info=ldap3.NONE,
            connect_timeout=timeout,
        )
        return ldap3.Connection(
            there,
            user=dn,
            password=password,
            authentication=ldap3.ANONYMOUS if dn is None else ldap3.SIMPLE,
            auto_referrals=False,
            check_names=False,
            read_only=True,
            receive_timeout=timeout,
        )

    def before_fork(self) -> None:
        """End the connections that nobody uses: two processes must not share one."""
        self.close()

    def after_fork_in_parent(self) -> None:
        """New ones are made where they are needed."""
        self._closed = False

    def after_fork_in_child(self) -> None:
        """Forget the parent's connections without a word to the directory."""
        for connection in self._idle:
            connection.socket.close()
        self._lock, self._idle, self._closed = threading.Lock(), [], False


def present(directory: Directory, base: str) -> bool:
    """Whether there is an entry of that name."""
    return bool(directory.search(base, ANYTHING, (), below=False))


def _tls(ldap3: Any, context: ssl.SSLContext, host: str) -> Any:
    """TLS as Python and OpenSSL do it, the check of the certificate and its names included."""

    class Verified(ldap3.Tls):  # type: ignore[misc]
        def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
            connection.socket = context.wrap_socket(connection.socket, server_hostname=host)

    return Verified()


def _utf8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


def _discard(connection: Any) -> None:
    """End a connection, whatever state it is in."""
    if connection is None:
        return
    with contextlib.suppress(Exception):
        connection.unbind()
    if connection.socket is not None:  # it was never open to ldap3, and its socket is
        with contextlib.suppress(OSError):
            connection.socket.close()


def _told(result: dict[str, Any]) -> str:
    """What the directory says is wrong."""
    return f"{result['description']} {result.get('message') or ''}".strip()[:200]


def _backend(error: Exception) -> BackendError:
    return BackendError(f"{type(error).__name__}: {str(error)[:200]}")
