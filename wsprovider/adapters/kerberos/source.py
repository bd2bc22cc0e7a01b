"""A client's side of Kerberos: tickets for one service, by a credential cache, a keytab or a password."""

import itertools
import os
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from wsprovider.adapters.kerberos.gss import gss_library, store
from wsprovider.adapters.kerberos.service_keys import context_key
from wsprovider.adapters.shared.forking import watch
from wsprovider.ports import FreshTicket
from wsprovider.words.errors import BackendError

_SPARE: Final = timedelta(seconds=60)
"""A ticket with less life than this is replaced where a new one can be had: it has a way to go."""

_number = itertools.count()

Acquire = Callable[[Any], Any]
"""Given ``gssapi.raw``: credentials to begin with."""


class Tickets:
    """Implements :class:`wsprovider.ports.TicketSource`; safe between threads and across forks.

    The client asks for integrity only: no mutual authentication (our side of the profile is one message), no
    delegation. The service's ticket is kept by libkrb5 in the cache that goes with the credentials, so that
    the KDC is asked once in a ticket's life; until it answers, other callers wait.
    """

    def __init__(self, service: str, acquire: Acquire, *, hostbased: bool = False) -> None:
        """Take note; the first ticket asks the KDC.

        Args:
            service: ``HTTP/host@REALM`` (without a realm, the one that krb5.conf gives), or, if hostbased,
                ``HTTP@host``, whose host libkrb5 may canonicalise by DNS (``dns_canonicalize_hostname``).
            acquire: makes credentials; :func:`by_cache`, :func:`by_keytab` and :func:`by_password` do.
            hostbased: the form of the service's name.

        Raises:
            ConfigurationError: gssapi is not installed.
        """
        self._gss = gss_library()
        self._service = service
        self._hostbased = hostbased
        self._acquire = acquire
        self._lock = threading.Lock()
        self._credentials: Any = None
        watch(self)

    def ticket(self, *, now: datetime) -> FreshTicket:
        """See :meth:`wsprovider.ports.TicketSource.ticket`."""
        try:
            with self._lock:
                return self._ticket(now)
        except self._gss.GSSError as error:
            raise BackendError(f"Kerberos: no ticket for {self._service}: {error}") from None

    def before_fork(self) -> None:
        """See :class:`wsprovider.adapters.shared.forking.ForkAware`; waiting for a KDC would hold up the fork."""

    def after_fork_in_parent(self) -> None:
        """Go on as before."""

    def after_fork_in_child(self) -> None:
        """See :class:`wsprovider.adapters.shared.forking.ForkAware`."""
        self._lock = threading.Lock()
        self._credentials = None

    def _ticket(self, now: datetime) -> FreshTicket:
        found = None
        if self._credentials is not None:
            try:
                found = self._made()
            except self._gss.GSSError:
                pass  # expired, most likely
            else:
                if found.expires - now >= _SPARE:
                    return found
        try:
            fresh = self._acquire(self._gss)
            self._credentials = fresh  # the old ones go, and the cache that belongs to them
            return self._made()
        except self._gss.GSSError:
            if found is not None and found.expires > now:
                return found
            raise

    def _made(self) -> FreshTicket:
        gss = self._gss
        kind = gss.NameType.hostbased_service if self._hostbased else gss.NameType.kerberos_principal
        made = gss.init_sec_context(
            gss.import_name(self._service.encode(), kind),
            self._credentials,
            mech=gss.MechType.kerberos,
            flags=[gss.RequirementFlag.integrity],
        )
        if made.more_steps or not made.token:
            raise BackendError(f"Kerberos: {self._service} cannot be reached in one step")
        key, _, expires = context_key(gss, made.context)
        return FreshTicket(token=made.token, key=key, expires=expires)


def by_cache(cache: str | None = None, principal: str | None = None) -> Acquire:
    """Credentials that ``kinit`` has left.

    Args:
        cache: as KRB5CCNAME names it (``FILE:/tmp/krb5cc_1000``); None for the process' own.
        principal: whose; None for the cache's own.
    """

    def acquire(gss: Any) -> Any:
        where = {} if cache is None else store(ccache=cache)
        return gss.acquire_cred_from(
            where or None, _user(gss, principal), usage="initiate", mechs=_only(gss)
        ).creds

    return acquire


def by_keytab(path: Path, principal: str) -> Acquire:
    """Credentials of a client that has a keytab; what the KDC gives is kept in this process' memory."""
    cache = f"MEMORY:wsprovider-{next(_number)}"

    def acquire(gss: Any) -> Any:
        # a cache of one name: libkrb5 fills it anew when its ticket has seen half of its life
        where = store(client_keytab=f"FILE:{path.absolute()}", ccache=f"{cache}-{os.getpid()}")
        return gss.acquire_cred_from(where, _user(gss, principal), usage="initiate", mechs=_only(gss)).creds

    return acquire


def by_password(principal: str, password: str) -> Acquire:
    """Credentials of a client that has a password; what the KDC gives is kept in this process' memory."""

    def acquire(gss: Any) -> Any:
        name = _user(gss, principal)
        return gss.acquire_cred_with_password(
            name, password.encode(), usage="initiate", mechs=_only(gss)
        ).creds

    return acquire


def _user(gss: Any, principal: str | None) -> Any:
    return None if principal is None else gss.import_name(principal.encode(), gss.NameType.user)


def _only(gss: Any) -> list[Any]:
    return [gss.MechType.kerberos]
