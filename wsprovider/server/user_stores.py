"""The user stores of one process, and the counts of wrong passwords that go with each."""

from collections.abc import Mapping
from dataclasses import replace

from wsprovider.adapters.users.opening import open_users
from wsprovider.config.model import EndpointConfig, ProviderConfig
from wsprovider.config.problems import Problems
from wsprovider.exchange.guessing.attempt import Guesses
from wsprovider.exchange.guessing.settings import GuessingSettings
from wsprovider.ports import Records, Users
from wsprovider.server import reports
from wsprovider.server.holdings import Holdings
from wsprovider.server.transport import UNIX_SOCKET
from wsprovider.words.errors import BackendError, WSSecurityError
from wsprovider.words.reasons import Reason


class UserStores:
    """Each store is opened once, however many endpoints name it."""

    def __init__(self, config: ProviderConfig, holdings: Holdings, environ: Mapping[str, str]) -> None:
        """Take the keys folder and the settings."""
        self._config, self._holdings, self._environ = config, holdings, environ
        self._users: dict[str, Users] = {}

    def users(self, config: EndpointConfig, problems: Problems) -> Users | None:
        """The store that an endpoint names; None where it names none, or where that did not answer."""
        if config.users is None:
            return None
        if config.users not in self._users:
            try:
                users = open_users(
                    self._config.keys,
                    config.users,
                    environ=self._environ,
                    on_swap=reports.users_swapped,
                    on_failure=reports.users_refused,
                )
            except BackendError as error:
                problems.add(config.where, f"users {config.users!r} did not answer: {error}")
                return None
            self._users[config.users] = users
            self._holdings.add(users)
        return self._users[config.users]

    def knows(self, name: str) -> bool | None:
        """Whether one of the stores knows a user; None where one that might does not answer."""
        answers = [_knows(users, name) for users in self._users.values()]
        return True if True in answers else None if None in answers else False

    def guesses(self, config: EndpointConfig, store: Records) -> Guesses | None:
        """The counts of wrong passwords, the same for all endpoints of a user store; None: none are kept."""
        if config.users is None or not self._config.guessing.enabled:
            return None
        return Guesses(store, guessing_of(self._config), config.users)


def _knows(users: Users, name: str) -> bool | None:
    try:
        users.find(name)
    except WSSecurityError as error:
        return error.reason is Reason.USER_DISABLED
    except BackendError:
        return None
    return True


def guessing_of(config: ProviderConfig) -> GuessingSettings:
    """The settings in force: a proxy of ours that does not say for whom it speaks has the address of many."""
    proxies = tuple(one for one in config.trusted_proxies if one != UNIX_SOCKET)
    return replace(config.guessing, shared_addresses=(*config.guessing.shared_addresses, *proxies))
