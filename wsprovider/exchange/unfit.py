"""What an endpoint lacks for its policies, told at start."""

from collections.abc import Iterator, Sequence

from wsprovider.exchange.crosschecking import cannot_check
from wsprovider.exchange.kerberos import takes_tickets
from wsprovider.exchange.settings import RecipientSettings
from wsprovider.exchange.ways import Way, requests_of
from wsprovider.policy.requirements import MessageRequirements
from wsprovider.words.errors import ConfigurationError, Problem


def check_fit(settings: RecipientSettings, ways: Sequence[Way], **has: bool) -> None:
    """Refuse an endpoint that lacks something.

    Args:
        has: see :func:`lacks`.

    Raises:
        ConfigurationError: everything that it lacks.
    """
    problems = [Problem(settings.name, what) for what in lacks(settings, ways, **has)]
    if problems:
        raise ConfigurationError(problems)


def lacks(
    settings: RecipientSettings,
    ways: Sequence[Way],
    *,
    users: bool,
    contexts: bool,
    tickets: bool,
    second_opinion: bool,
) -> Iterator[str]:
    """A sentence for everything that the ways need and the endpoint has not.

    Args:
        users: it has a user store.
        contexts: it has a store for security contexts.
        tickets: it can accept Kerberos tickets.
        second_opinion: it has the second engine.
    """
    requests = requests_of(ways)
    if not users and any(one.names_user for one in requests):
        yield "the policy asks for a user name: name a user store"
    if not contexts and any(way.conversation is not None for way in ways):
        yield "the policy has conversations: their contexts need a store"
    if any(takes_tickets(one) for one in requests):
        yield from _lacks_of_tickets(settings, tickets=tickets)
    if settings.crosscheck and not second_opinion:
        yield "crosscheck needs the second engine"
    for one in requests:
        yield from _lacks_of(one, settings)
    if not settings.operations:
        yield "the service has no operation"


def _lacks_of(one: MessageRequirements, settings: RecipientSettings) -> Iterator[str]:
    unseen = cannot_check(one) if settings.crosscheck else None
    if unseen is not None:
        yield f"crosscheck cannot follow {unseen}"
    if one.seals and not one.timestamp:
        # docs/decisions/0043: what is remembered is forgotten when it can no longer be fresh
        yield "without IncludeTimestamp a copy could be sent again later: add it"


def _lacks_of_tickets(settings: RecipientSettings, *, tickets: bool) -> Iterator[str]:
    if not tickets:
        yield "the policy has Kerberos tickets: name the service's principal"
    elif settings.kerberos.strip_realm and len(settings.kerberos.realms) != 1:
        yield "without its realm a name may be anybody's of another one: name one realm"
