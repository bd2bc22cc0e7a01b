"""The archives of a process: one chain a service, and what an endpoint asks of its own."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from wsprovider.archive.keys import ArchiveKey
from wsprovider.archive.messages import Keeper, Received
from wsprovider.archive.store import open_store
from wsprovider.archive.writing import Archive
from wsprovider.config.model import EndpointConfig, ServiceConfig
from wsprovider.exchange.recipient import Recipient, Transport, VerifiedRequest, WireMessage
from wsprovider.keyring.ring import SealKeys
from wsprovider.server import log, reports
from wsprovider.server.http import HttpRequest
from wsprovider.words.errors import BackendError, ConfigurationError, Problem, SoapError, SoapFault
from wsprovider.words.reasons import Reason


class Archiving(Protocol):
    """What an endpoint does with its archive; each step fails closed.

    Each raises SoapError ARCHIVE where the archive cannot keep what it should.
    """

    def check(self) -> None:
        """Before anything of a message is looked at: an archive that is full burns no message."""
        ...

    def request(self, request: VerifiedRequest, read: HttpRequest, transport: Transport) -> int:
        """Keep a request, before anything is done with it; the number of its record."""
        ...

    def reply(self, wire: WireMessage, number: int, context: str | None) -> None:
        """Keep a reply, before anything of it is sent.

        Args:
            number: of its request's record.
            context: identifier of the security context that it issues, renews or cancels.
        """
        ...


class Archives:
    """Opens what services name, each chain once."""

    def __init__(self) -> None:
        self._chains: dict[tuple[str, str], Archive] = {}

    def of(
        self,
        service: ServiceConfig,
        config: EndpointConfig,
        recipient: Recipient,
        seals: Callable[[], SealKeys],
    ) -> Archiving | None:
        """The archive of an endpoint; None where it has none.

        Args:
            seals: the seal keys of its ring, as they are now.

        Raises:
            ConfigurationError: it cannot be opened.
        """
        if config.archive is None:
            return None
        place = config.archive, service.name
        if place not in self._chains:
            try:
                self._chains[place] = self._opened(service, config.archive, seals)
            except BackendError as error:
                raise ConfigurationError([Problem("archive", f"cannot be used: {error}")]) from None
        return _EndpointArchive(self._chains[place], Keeper(recipient, scenario=config.scenario))

    def health(self) -> Mapping[str, Callable[[], None]]:
        """Checks for ``/healthz``."""
        return {f"archive of {name}": chain.check for (_, name), chain in self._chains.items()}

    def close(self) -> None:
        """Release what the chains have open."""
        for chain in self._chains.values():
            chain.close()

    def _opened(self, service: ServiceConfig, location: str, seals: Callable[[], SealKeys]) -> Archive:
        store = open_store(location, service.name)
        key = ArchiveKey(store, service.name, seals, clock=reports.now, entropy=os.urandom)
        archive = Archive(
            store,
            service.name,
            key,
            clock=reports.now,
            entropy=os.urandom,
            days=days_of(service, location),
            on_failure=partial(log.failure, f"archive of {service.name}: what is over"),
        )
        archive.begin()
        return archive


def days_of(service: ServiceConfig, location: str) -> int | None:
    """How long a service's records are kept there: as long as its most patient endpoint wants, None for ever."""
    days = [one.archive_days for one in service.endpoints if one.archive == location]
    told = [one for one in days if one is not None]
    return max(told) if len(told) == len(days) else None


@dataclass(frozen=True, slots=True, eq=False)
class _EndpointArchive:
    """See :class:`Archiving`."""

    archive: Archive
    keeper: Keeper

    def check(self) -> None:
        try:
            self.archive.check()
        except BackendError as error:
            raise _failed(error) from error

    def request(self, request: VerifiedRequest, read: HttpRequest, transport: Transport) -> int:
        received = Received(read.body, read.charset, read.action, transport)
        try:
            return self.archive.keep(self.keeper.request(request, received))
        except BackendError as error:
            raise _failed(error) from error

    def reply(self, wire: WireMessage, number: int, context: str | None) -> None:
        try:
            self.archive.keep(self.keeper.reply(wire, number, context))
        except BackendError as error:
            raise _failed(error) from error


def _failed(error: BackendError) -> SoapError:
    return SoapError(SoapFault.SERVER, Reason.ARCHIVE, str(error))
