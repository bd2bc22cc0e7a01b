"""Whether an endpoint has what its policy needs: said at start, all at once."""

from collections.abc import Iterator, Sequence

from wsprovider.exchange.crosschecking import cannot_check
from wsprovider.exchange.kerberos import takes_tickets
from wsprovider.exchange.settings import RecipientSettings
from wsprovider.exchange.ways import Way
from wsprovider.policy.requirements import Protection
from wsprovider.words.errors import ConfigurationError, Problem


def check_sound(
    ways: Sequence[Way],
    settings: RecipientSettings,
    *,
    users: bool,
    contexts: bool,
    tickets: bool,
    second_engine: bool,
) -> None:
    """Refuse what cannot work.

    Args:
        ways: into the endpoint.
        users: there is a user store.
        contexts: there is a store for security contexts.
        tickets: something accepts Kerberos tickets.
        second_engine: there is one.

    Raises:
        ConfigurationError: every problem.
    """
    problems: list[Problem] = []
    name, requests = settings.name, [way.requirements.request for way in ways]
    if not users and any(one.usernames for one in requests):
        problems.append(Problem(name, "the policy has a UsernameToken: name a user store"))
    if not contexts and any(way.conversation is not None for way in ways):
        problems.append(Problem(name, "the policy has conversations: their contexts need a store"))
    if any(takes_tickets(one) for one in requests):
        problems += _problems_of_tickets(settings, tickets=tickets)
    if settings.crosscheck and not second_engine:
        problems.append(Problem(name, "crosscheck needs the second engine"))
    for one in requests:
        unseen = cannot_check(one) if settings.crosscheck else None
        if unseen is not None:
            problems.append(Problem(name, f"crosscheck cannot follow {unseen}"))
        if one.protection is not Protection.TRANSPORT and not one.timestamp:
            # docs/decisions/0043: what is remembered is forgotten when it can no longer be fresh
            problems.append(
                Problem(name, "without IncludeTimestamp a copy could be sent again later: add it")
            )
    if not settings.operations:
        problems.append(Problem(name, "the service has no operation"))
    if problems:
        raise ConfigurationError(problems)


def _problems_of_tickets(settings: RecipientSettings, *, tickets: bool) -> Iterator[Problem]:
    kerberos = settings.kerberos
    if not tickets:
        yield Problem(settings.name, "the policy has Kerberos tickets: name the service's principal")
    elif kerberos.strip_realm and len(kerberos.realms) != 1:
        what = "without its realm a name may be anybody's of another one: name one realm"
        yield Problem(settings.name, what)
