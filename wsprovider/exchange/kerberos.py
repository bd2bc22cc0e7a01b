"""Kerberos tickets in messages: accepted, mapped to names, and known again by their hash."""

from datetime import datetime, timedelta
from typing import Final

from wsprovider.conversation.established import EstablishedTickets
from wsprovider.exchange.settings import KerberosSettings, split_principal
from wsprovider.inbound.evidence import SecretKey
from wsprovider.inbound.finding import Case
from wsprovider.keyring.tickets import TicketKey, ticket_sha1
from wsprovider.policy.requirements import KeySource, MessageRequirements, source_of
from wsprovider.ports import TicketAcceptor
from wsprovider.words.errors import BackendError, ConfigurationError, Problem, WSSecurityError
from wsprovider.words.reasons import Reason

AUTHENTICATOR_LIFE: Final = timedelta(minutes=15)
"""How long the mark of an AP-REQ counts: longer than any clock skew lets one be taken (RFC 4120: 5 minutes)."""


class MessageTickets:
    """The tickets of one message (:class:`wsprovider.inbound.context.Tickets`)."""

    def __init__(
        self,
        acceptor: TicketAcceptor,
        settings: KerberosSettings,
        established: EstablishedTickets | None,
        endpoint: str,
        now: datetime,
    ) -> None:
        self._acceptor, self._settings, self._established = acceptor, settings, established
        self._endpoint, self._now = endpoint, now

    def shown(self, token: bytes) -> TicketKey:
        """See :class:`wsprovider.inbound.context.Tickets`; a realm that may not call is refused."""
        accepted = self._acceptor.accept(token, now=self._now)
        self._check_realm(accepted.principal)
        return TicketKey(
            ticket_sha1(token), accepted.key, accepted.principal, accepted.expires, accepted.authenticator
        )

    def named(self, sha1: bytes) -> TicketKey:
        """See :class:`wsprovider.inbound.context.Tickets`."""
        if self._established is None:
            raise WSSecurityError(Reason.TICKET_UNKNOWN, "later messages are turned off")
        ticket = self._established.find(sha1, self._endpoint, self._now)
        self._check_realm(ticket.principal)  # the settings may have changed since
        return ticket

    def _check_realm(self, principal: str) -> None:
        _, realm = split_principal(principal)
        if self._settings.realms and realm not in self._settings.realms:
            raise WSSecurityError(Reason.TICKET_REALM, realm)


class OnlyTicket:
    """A reply can only name the ticket of its request."""

    def __init__(self, ticket: TicketKey | None) -> None:
        self._ticket = ticket

    def shown(self, token: bytes) -> TicketKey:
        """No reply shows a ticket."""
        raise WSSecurityError(Reason.UNSUPPORTED_TOKEN, f"a Kerberos ticket of {len(token)} bytes")

    def named(self, sha1: bytes) -> TicketKey:
        """See :class:`wsprovider.inbound.context.Tickets`."""
        if self._ticket is None or self._ticket.sha1 != sha1:
            raise WSSecurityError(Reason.TICKET_UNKNOWN, sha1.hex())
        return self._ticket


def ticket_of(case: Case) -> TicketKey | None:
    """The ticket whose key signed a message, or its message signature; None when none did."""
    for fact in (case.main, *case.endorsing):
        if fact is not None and isinstance(fact.key, SecretKey) and fact.key.root.ticket is not None:
            return fact.key.root.ticket
    return None


def keep_ticket(
    ticket: TicketKey, established: EstablishedTickets | None, endpoint: str, now: datetime
) -> str:
    """Keep a ticket that an accepted message has shown, where later messages may name it.

    Returns:
        Why it was not kept, so that later messages have to show it again; empty when all is well.
    """
    if established is None:
        return ""
    try:
        kept = established.keep(ticket, endpoint, now)
    except (BackendError, ConfigurationError) as error:
        return f"the ticket was not kept for later messages: {error}"
    return "" if kept else "the ticket was not kept for later messages: no room"


def takes_tickets(message: MessageRequirements) -> bool:
    """Whether a message may be protected or endorsed by a Kerberos ticket."""
    return message.key_source is KeySource.TICKET or any(
        source_of(one.token) is KeySource.TICKET for one in message.endorsing
    )


def problems_of_tickets(name: str, settings: KerberosSettings, *, accepted: bool) -> list[Problem]:
    """Why an endpoint whose policy has tickets cannot take them.

    Args:
        name: the endpoint's.
        accepted: somebody is there who opens them.
    """
    if not accepted:
        return [Problem(name, "the policy has Kerberos tickets: name the service's principal")]
    if settings.strip_realm and len(settings.realms) != 1:
        return [Problem(name, "without its realm a name may be anybody's of another one: name one realm")]
    return []
