"""``keys/partners.toml`` as one process holds it: read at start, held against all endpoints, followed as it changes.

A changed file with problems is not taken over: the partners stay who they were, which is told in the log and in
``/healthz``, and the file is looked at again until it is in order (a certificate or user that it names may be on
its way). A file that has gone is such a problem: an empty one says that there are no partners.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from wsprovider.adapters.keys.partners import FILE, Reading, ServicePlaces, Surroundings, read_partners
from wsprovider.adapters.keys.reading import Reader
from wsprovider.adapters.keys.source import SnapshotSource
from wsprovider.adapters.shared.following import Followed
from wsprovider.config.fitting import unfit_keys
from wsprovider.config.model import EndpointConfig, ProviderConfig
from wsprovider.config.problems import Problems
from wsprovider.config.warn import policy_warnings
from wsprovider.exchange.partners import NO_PARTNERS, Partners
from wsprovider.exchange.recipient import Recipient
from wsprovider.keyring.ring import RingSnapshot
from wsprovider.keyring.trust import TrustGroup
from wsprovider.policy.model import Policy
from wsprovider.scenarios import catalogue
from wsprovider.server import log, reports
from wsprovider.words.errors import ConfigurationError, Problem

_INTERVAL: Final = 1.0
_NOBODY: Final = "no partner may call here, and nobody else may: every message is refused"


@dataclass(frozen=True, slots=True, eq=False)
class _Served:
    """An endpoint that partners call."""

    config: EndpointConfig
    recipient: Recipient
    keys: SnapshotSource

    @property
    def name(self) -> str:
        return self.recipient.settings.name


class PartnerBook:
    """Calling it gives the partners in force."""

    def __init__(self, config: ProviderConfig, environ: Mapping[str, str]) -> None:
        """Take the keys folder; nothing is read before :meth:`follow`."""
        self._config, self._environ = config, environ
        self._where = f"{config.keys.name}/{FILE}"
        self._served: list[_Served] = []
        self._followed: Followed[Reading] | None = None
        self._told: tuple[Problem, ...] = ()

    def __call__(self) -> Partners:
        """The partners in force."""
        return NO_PARTNERS if self._followed is None else self._followed.current().partners

    @property
    def failed(self) -> bool:
        """See :class:`wsprovider.server.holdings.Follower`."""
        return self._followed is not None and self._followed.failed

    def serve(self, config: EndpointConfig, recipient: Recipient, keys: SnapshotSource) -> None:
        """Hold partners against an endpoint from now on, and changed keys of its ring against its partners."""
        served = _Served(config, recipient, keys)
        self._served.append(served)
        keys.demand(lambda snapshot, now: _unfit(served, self(), snapshot, now))

    def follow(
        self,
        groups: Callable[[], Iterable[TrustGroup]],
        knows_user: Callable[[str], bool | None],
    ) -> None:
        """Read the file, now that all endpoints are there.

        Args:
            groups: the trust groups in use.
            knows_user: whether a user store in use knows somebody; None where it cannot say.

        Raises:
            ConfigurationError: everything that is wrong.
        """
        operations = {
            one.name: frozenset(operation.name for operation in one.recipient.settings.operations.values())
            for one in self._served
        }
        around = Surroundings(places_of(self._config, operations), groups, knows_user)
        self._followed = Followed(
            _File(
                lambda: Reader(self._config.keys, self._environ), lambda reader: self._read(reader, around)
            ),
            monotonic=time.monotonic,
            interval=_INTERVAL,
            on_swap=self._swapped,
            on_failure=self._refused,
        )
        reading = self._followed.current()
        _warn(reading.warnings)
        if not reading.present:
            self._check_required()

    def _check_required(self) -> None:
        """An endpoint for partners only has none; checked once, as a file that goes later is not let go."""
        what = f'partners = "required", and there is no {self._where}: write it, or remove the line'
        problems = [Problem(one.config.where, what) for one in self._served if one.config.partners_required]
        if problems:
            raise ConfigurationError(problems)

    def _read(self, reader: Reader, around: Surroundings) -> Reading:
        reading = read_partners(reader, around)
        problems = Problems()
        warnings = list(reading.warnings)
        for one in self._served:
            with problems.collecting(f"by {self._where}"):
                opening = one.recipient.openings.of(reading.partners)
                for lack in _unfit(one, reading.partners, one.keys(), reports.now()):
                    problems.add(self._where, lack)
                warnings += _warnings(one, reading.partners)
                if weaker := opening.exposed:
                    warnings.append(f"{one.config.path}: {_exposed(weaker)}")
                if reading.present and one.config.partners_required and not _called(one, reading.partners):
                    warnings.append(f"{one.config.path}: {_NOBODY}")
        problems.raise_any()
        return Reading(reading.partners, reading.present, tuple(dict.fromkeys(warnings)))

    def _swapped(self, reading: Reading) -> None:
        self._told = ()
        log.start.info("%s", log.sentence("partners: a changed file is in force"))
        _warn(reading.warnings)

    def _refused(self, error: ConfigurationError) -> None:
        """Told once, though the file is looked at again and again."""
        problems = tuple(error.problems)
        if problems == self._told:
            return
        self._told = problems
        for problem in problems:
            log.start.error("%s", log.sentence(f"partners: the old ones stay in force: {problem}"))


class _File:
    """The file, and what it says of all endpoints; see :class:`wsprovider.adapters.shared.following.Source`."""

    def __init__(self, new_reader: Callable[[], Reader], read: Callable[[Reader], Reading]) -> None:
        self._new_reader, self._read_with = new_reader, read
        self._reader = new_reader()
        self._failed = self._present = False

    def changed(self) -> bool:
        return self._failed or self._reader.changed()

    def read(self) -> Reading:
        self._reader, self._failed = self._new_reader(), True
        reading = self._read_with(self._reader)
        if self._present and not reading.present:
            path = self._reader.shown(self._reader.folder / FILE)
            raise ConfigurationError(
                [Problem(path, "has gone; an empty file says that there are no partners")]
            )
        self._failed, self._present = False, reading.present
        return reading


def places_of(config: ProviderConfig, operations: Mapping[str, frozenset[str]]) -> dict[str, ServicePlaces]:
    """What partners may be let into.

    Args:
        operations: names of an endpoint's operations, by its name; an endpoint may be missing.
    """
    found: dict[str, ServicePlaces] = {}
    for service in config.services:
        names = {one.name_for(service.name): one.scenario is None for one in service.endpoints}
        known = [operations[name] for name in names if name in operations]
        found[service.name] = ServicePlaces(names, known[0] if known else None)
    return found


def _called(one: _Served, partners: Partners) -> bool:
    return any(one.name in partner.access for partner in partners.all)


def _deviating(one: _Served, partners: Partners) -> Iterator[tuple[Policy, str]]:
    for policies, those in one.recipient.openings.deviating(partners).values():
        yield policies.everything, f"{one.config.path}, for {', '.join(partner.name for partner in those)}"


def _unfit(one: _Served, partners: Partners, snapshot: RingSnapshot, now: datetime) -> Iterator[str]:
    for policy, whom in _deviating(one, partners):
        for lack in unfit_keys(policy, snapshot, now):
            yield f"{lack} (needed by {whom})"


def _warnings(one: _Served, partners: Partners) -> Iterator[str]:
    """What is worth a sentence of a partner's policy and not of the endpoint's own."""
    scenario = catalogue.find(one.config.scenario) if one.config.scenario else None
    own = set(policy_warnings(one.config.policy, scenario))
    for policy, whom in _deviating(one, partners):
        for sentence in policy_warnings(policy, scenario):
            if sentence not in own:
                yield f"{whom}: {sentence}"


def _exposed(methods: Iterable[str]) -> str:
    return (
        f"for partners that may, strangers' messages are decrypted by {', '.join(sorted(methods))}, too: "
        "under this policy it shows only inside who called (docs/partners.md)"
    )


def _warn(warnings: Iterable[str]) -> None:
    for warning in warnings:
        log.start.warning("%s", log.sentence(warning))
