"""The keys of our service at one moment, as libkrb5 can use them; safe between threads and across forks."""

import fcntl
import os
import threading
import weakref
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from wsprovider.adapters.kerberos.ap_req import ApReq, read_ap_req
from wsprovider.adapters.kerberos.enctypes import enctype_names
from wsprovider.adapters.kerberos.gss import gss_library, refusal, store
from wsprovider.adapters.kerberos.keytab import KeytabKey, write_keytab
from wsprovider.adapters.shared.forking import watch
from wsprovider.ports import AcceptedTicket
from wsprovider.words.errors import BackendError, ConfigurationError, Problem, WSSecurityError
from wsprovider.words.reasons import Reason

_ANY_VERSION: Final = 0
_ANONYMOUS: Final = "WELLKNOWN/ANONYMOUS@"  # RFC 8062, section 3
_LUCID_VERSION: Final = 1
_CFX: Final = 1  # RFC 4121; 0 is RFC 1964, which RC4 goes by


class ServiceKeys:
    """Implements :class:`wsprovider.ports.TicketAcceptor` for keys that do not change.

    libkrb5 takes keys from a keytab file, and looks into it for every ticket. It gets a private one that lies
    in memory (a sealed memfd) and that workers inherit: what is there is what was checked, whole, even for
    workers who may not read the operator's file.

    One call into GSS-API at a time: it costs less than a tenth of a millisecond, and a fork finds no lock of
    libkrb5 in the hands of a thread that the child does not have.
    """

    def __init__(self, keys: Iterable[KeytabKey], enctypes: frozenset[int]) -> None:
        """Make keys usable.

        Args:
            keys: of all our principals, each in all versions that tickets may still be made with. One whose
                type is not allowed opens nothing, but then it is the type that a ticket is refused for.
            enctypes: numbers of the encryption types that are allowed.

        Raises:
            ConfigurationError: gssapi is not installed.
            BackendError: libkrb5 does not take the keys.
        """
        self._gss = gss_library()
        self._enctypes = enctypes
        every = tuple(keys)
        allowed = [key for key in every if key.enctype in enctypes]
        self._versions: dict[tuple[object, int], set[int]] = {}
        for key in allowed:
            self._versions.setdefault((key.principal, key.enctype), set()).add(key.kvno)
        self._services = {key.principal for key in every}
        self._file = _in_memory(write_keytab(allowed))
        weakref.finalize(self, os.close, self._file)
        self._lock = threading.Lock()
        self._held_for_fork = False
        self._credentials: Any = None
        with self._lock:
            self._acquired()
        watch(self)

    def accept(self, token: bytes, *, now: datetime) -> AcceptedTicket:
        """See :meth:`wsprovider.ports.TicketAcceptor.accept`.

        Stricter than RFC 4120 in one thing: a ticket whose life has ended by our clock is refused at once,
        not only after another clockskew; what follows from a ticket (its later messages) ends with it.
        """
        request = read_ap_req(token)
        versions = self._versions_for(request)
        try:
            with self._lock:
                found = self._accepted(request)
        except self._gss.GSSError as error:
            known = request.kvno is None or not versions.isdisjoint((request.kvno, _ANY_VERSION))
            raise refusal(error, version_known=known) from None
        if found.enctype not in self._enctypes:
            raise _not_allowed(found.enctype)
        if found.expires <= now:
            raise WSSecurityError(Reason.TICKET_EXPIRED, "the ticket's life has ended")
        return found

    def before_fork(self) -> None:
        """See :class:`wsprovider.adapters.shared.forking.ForkAware`."""
        self._lock.acquire()
        self._held_for_fork = True

    def after_fork_in_parent(self) -> None:
        """See :class:`wsprovider.adapters.shared.forking.ForkAware`."""
        if self._held_for_fork:  # not, if it was made while another thread was about to fork
            self._held_for_fork = False
            self._lock.release()

    def after_fork_in_child(self) -> None:
        """See :class:`wsprovider.adapters.shared.forking.ForkAware`."""
        self._lock = threading.Lock()
        self._held_for_fork = False
        self._credentials = None

    def _versions_for(self, request: ApReq) -> set[int]:
        """The versions of the key that the ticket says it is encrypted with."""
        if request.service not in self._services:
            ours = ", ".join(sorted(str(service) for service in self._services))
            raise WSSecurityError(Reason.TICKET_SERVICE, f"the ticket is for another service than {ours}")
        if request.enctype not in self._enctypes:
            raise _not_allowed(request.enctype)
        versions = self._versions.get((request.service, request.enctype))
        if versions is None:
            what = f"the service has no key of encryption type {enctype_names([request.enctype])}"
            raise WSSecurityError(Reason.TICKET_SERVICE, what)
        return versions

    def _acquired(self) -> Any:
        if self._credentials is None:
            # libkrb5's own replay cache would refuse a second message with one ticket; ours decides
            where = store(keytab=f"FILE:/proc/self/fd/{self._file}", rcache="none:")
            try:
                made = self._gss.acquire_cred_from(where, usage="accept", mechs=[self._gss.MechType.kerberos])
            except self._gss.GSSError as error:
                raise BackendError(f"Kerberos: libkrb5 does not take the service's keys: {error}") from None
            self._credentials = made.creds
        return self._credentials

    def _accepted(self, request: ApReq) -> AcceptedTicket:
        made = self._gss.accept_sec_context(request.wrapped, self._acquired())
        # Looking into a context that is not complete crashes the process (MIT 1.20). What the client may have
        # delegated goes with the result, and is nowhere kept.
        if made.more_steps or made.token:
            raise WSSecurityError(Reason.TICKET_INVALID, "the client expects an answer of Kerberos' own")
        try:
            principal = self._gss.display_name(made.initiator_name, False).name.decode()
        except UnicodeDecodeError:
            raise WSSecurityError(Reason.TICKET_INVALID, "a client's name that is no UTF-8") from None
        if principal.startswith(_ANONYMOUS):
            raise WSSecurityError(Reason.TICKET_INVALID, "an anonymous ticket")
        key, enctype, expires = context_key(self._gss, made.context)
        return AcceptedTicket(principal, key, enctype, expires, request.authenticator)


def context_key(gss: Any, context: Any) -> tuple[bytes, int, datetime]:
    """Key, its encryption type, and the ticket's end, of a context that one leg has made; uses it up.

    The key is the authenticator's sub-key, or the ticket's session key where there is none: what Kerberos
    Token Profile 1.1 (section 3.4) and the JDK's and python-gssapi's inquiries for a session key say, too.
    """
    lucid = gss.krb5_export_lucid_sec_context(context, _LUCID_VERSION)
    expires = datetime.fromtimestamp(lucid.endtime, UTC)
    if lucid.protocol == _CFX:
        return lucid.cfx_kd.ctx_key, lucid.cfx_kd.ctx_key_type, expires
    return lucid.rfc1964_kd.key, lucid.rfc1964_kd.key_type, expires


def _in_memory(content: bytes) -> int:
    """A file that is nowhere but in memory, and that nobody can change; its descriptor."""
    if not hasattr(os, "memfd_create"):
        raise ConfigurationError(
            [Problem("kerberos", "the service's keys are kept in a memfd; this needs Linux")]
        )
    descriptor = os.memfd_create("wsprovider-keytab", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with os.fdopen(descriptor, "wb", closefd=False) as file:
        file.write(content)
    # others reach it only through our own /proc, which is closed to them; a worker that has changed its
    # user since is not the owner any more
    os.fchmod(descriptor, 0o444)
    seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor


def _not_allowed(enctype: int) -> WSSecurityError:
    what = f"encryption type {enctype_names([enctype])} is not allowed"
    return WSSecurityError(Reason.TICKET_ENCTYPE, what)
