"""Kerberos for the endpoints of one build: what opens their tickets, and what remembers them."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from wsprovider.adapters.kerberos.acceptor import KeytabAcceptor
from wsprovider.config.kerberos import OpenedTickets, TicketKeys, open_tickets
from wsprovider.config.model import EndpointConfig
from wsprovider.conversation.established import EstablishedTickets
from wsprovider.exchange.settings import KerberosSettings
from wsprovider.keyring.ring import SealKeys
from wsprovider.ports import Records, TicketAcceptor
from wsprovider.server import log
from wsprovider.words.errors import ConfigurationError


class TicketKeyrings:
    """Endpoints that take their keys from one place share one acceptor, which follows a keytab as it changes."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        """Take note.

        Args:
            folder: the keys folder.
            environ: where passwords are looked up.
        """
        self._folder, self._environ = folder, environ
        self._opened: dict[TicketKeys, OpenedTickets] = {}

    def acceptor(self, config: EndpointConfig) -> TicketAcceptor | None:
        """What opens the endpoint's tickets; None where its policy takes none.

        Raises:
            ConfigurationError: the keys cannot be used.
        """
        opened = self._of(config)
        return None if opened is None else opened.acceptor

    def settings(self, config: EndpointConfig) -> KerberosSettings:
        """The endpoint's; unless it names realms, they are those of our principals at the start.

        Raises:
            ConfigurationError: the keys cannot be used.
        """
        opened = self._of(config)
        if opened is None or config.kerberos.realms:
            return config.kerberos
        return replace(config.kerberos, realms=opened.realms)

    def followed(self) -> tuple[KeytabAcceptor, ...]:
        """The keytabs that are in use."""
        acceptors = (one.acceptor for one in self._opened.values())
        return tuple(one for one in acceptors if isinstance(one, KeytabAcceptor))

    def _of(self, config: EndpointConfig) -> OpenedTickets | None:
        keys = config.ticket_keys
        if keys is None:
            return None
        if keys not in self._opened:
            self._opened[keys] = open_tickets(
                keys, self._folder, self._environ, on_swap=_report_swap, on_failure=_report_failure
            )
        return self._opened[keys]


def established(
    config: EndpointConfig, store: Records, seals: Callable[[], SealKeys]
) -> EstablishedTickets | None:
    """What remembers tickets for later messages, where the endpoint takes such."""
    settings = config.kerberos
    if config.ticket_keys is None or not settings.later_messages:
        return None
    limits = {"per_owner": settings.per_owner, "tickets": settings.tickets}
    return EstablishedTickets(store, seals, os.urandom, **limits)


def _report_swap(warnings: tuple[str, ...]) -> None:
    log.start.info("%s", log.sentence("kerberos: a changed keytab is in force"))
    for warning in warnings:
        log.start.warning("%s", log.sentence(warning))


def _report_failure(error: ConfigurationError) -> None:
    for problem in error.problems:
        log.start.error("%s", log.sentence(f"kerberos: the old keys stay in force: {problem}"))
