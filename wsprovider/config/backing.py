"""What stands behind the endpoints: rings, trust groups, user stores and keytabs are opened once to see.

What is opened here is let go again; the server opens its own and follows their changes.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from wsprovider.adapters.keys.folder import Loaded, load_snapshot
from wsprovider.adapters.keys.partners import FILE as PARTNERS
from wsprovider.adapters.users.opening import open_users
from wsprovider.config.development import uses_development_keys
from wsprovider.config.endpoints import ReadEndpoint
from wsprovider.config.fitting import unfit_keys
from wsprovider.config.kerberos import TicketKeys, open_tickets
from wsprovider.config.problems import Problems
from wsprovider.words.errors import BackendError, ConfigurationError
from wsprovider.words.limits import Limits


@dataclass(frozen=True, slots=True)
class Backing:
    """What was seen beside problems.

    Attributes:
        warnings: what is worth a sentence at start, such as a certificate that expires soon.
        development_keys: keys of ``wsprovider init`` are in use.
    """

    warnings: tuple[str, ...] = ()
    development_keys: bool = False


def check_backing(
    endpoints: Sequence[ReadEndpoint], keys: Path, problems: Problems, environ: Mapping[str, str]
) -> Backing:
    """Open everything that the endpoints' policies need.

    Args:
        endpoints: as read.
        keys: the keys folder.
        problems: takes what is missing or unusable.
        environ: where passphrases of keys are looked up.
    """
    needing = [endpoint for endpoint in endpoints if _needs_folder(endpoint)]
    if needing and not keys.is_dir():
        path = needing[0].config.path
        problems.add(str(keys), f"there is no such keys folder, and {path} needs one: see wsprovider init")
        return Backing()
    backing = _Look(keys, problems, environ)
    for endpoint in needing:
        backing.check_keys(endpoint)
        backing.check_users(endpoint)
        backing.check_tickets(endpoint)
        backing.check_roles(endpoint)
    return Backing(tuple(backing.warnings), backing.development)


def _needs_folder(endpoint: ReadEndpoint) -> bool:
    demands = endpoint.demands
    if endpoint.left_out:
        return False
    return demands.ring or demands.trust or demands.kerberos or endpoint.needs_users or endpoint.needs_seal


class _Look:
    """One look at a keys folder; what several endpoints share is read once."""

    def __init__(self, keys: Path, problems: Problems, environ: Mapping[str, str]) -> None:
        self.warnings: dict[str, None] = {}
        self.development = False
        self._keys = keys
        self._problems = problems
        self._environ = environ
        self._now = datetime.now(UTC)
        self._seen: dict[tuple[str | None, tuple[str, ...], Limits], Loaded | None] = {}
        self._tickets: set[TicketKeys] = set()
        self._clear_passwords: dict[str, bool] = {}

    def check_keys(self, endpoint: ReadEndpoint) -> None:
        """The ring has keys for its purposes now, and trust trusts somebody.

        A ring without a seal key is told once, however many conversations need it.
        """
        config, demands = endpoint.config, endpoint.demands
        ring = config.ring if demands.ring or endpoint.needs_seal else None
        trust = config.trust if demands.trust else ()
        wanted = (ring, trust, config.limits)
        if ring is None and not trust:
            return
        if wanted not in self._seen:
            self._seen[wanted] = None
            self._look(endpoint, ring, trust)
        loaded = self._seen[wanted]
        if loaded is None or ring is None:
            return
        with self._problems.collecting(f"needed by {config.path}"):
            for what in unfit_keys(config.policy, loaded.snapshot, self._now):
                endpoint.table.problem("ring", f'"{ring}": {what}')
        if endpoint.needs_seal and (lack := loaded.seals.lack(self._now)):
            if not demands.conversation:
                what = "later_messages" if config.archive is None else "archive"
                lack = f"{lack} (needed by {config.path}: {what})"
            self._problems.add(f"{self._keys.name}/{ring}/ring.toml", lack)

    def _look(self, endpoint: ReadEndpoint, ring: str | None, trust: tuple[str, ...]) -> None:
        config = endpoint.config
        with self._problems.collecting(f"needed by {config.path}"):
            loaded = load_snapshot(
                self._keys, ring, trust, limits=config.limits, now=self._now, environ=self._environ
            )
            if trust and loaded.snapshot.trusts_nobody:
                endpoint.table.problem("trust", "trusts nobody: its groups hold no certificate")
            self._seen[ring, trust, config.limits] = loaded
            self.development |= uses_development_keys(self._keys, loaded)
            self.warnings.update(dict.fromkeys(str(warning) for warning in loaded.warnings))

    def check_users(self, endpoint: ReadEndpoint) -> None:
        """The store opens, and can check digests where the policy asks for them."""
        name = endpoint.config.users
        if name is None or not endpoint.needs_users:
            return
        if name not in self._clear_passwords:
            self._clear_passwords[name] = True  # where it cannot be said, that is the problem
            with self._problems.collecting(f"needed by {endpoint.config.path}"):
                self._open_users(endpoint, name)
        if endpoint.demands.clear_passwords and not self._clear_passwords[name]:
            endpoint.table.problem(
                "users",
                f'"{name}" holds no clear password, and the policy asks for password digests, '
                "which cannot be checked against hashes",
            )

    def _open_users(self, endpoint: ReadEndpoint, name: str) -> None:
        try:
            with closing(open_users(self._keys, name, environ=self._environ)) as users:
                self.warnings.update(dict.fromkeys(users.warnings))
                self._clear_passwords[name] = users.knows_clear_passwords
        except BackendError as error:
            endpoint.table.problem("users", f'"{name}" did not answer: {error}')

    def check_roles(self, endpoint: ReadEndpoint) -> None:
        """Somebody gives holders of tickets the roles that are asked for: a user store, or partners."""
        config = endpoint.config
        given = config.users is not None or (self._keys / PARTNERS).is_file()
        if config.roles and endpoint.demands.kerberos and not given:
            what = "cannot be met: those of holders of tickets are the user store's, or partners'"
            endpoint.table.problem("roles", f"{what}; name users, or write {self._keys.name}/{PARTNERS}")

    def check_tickets(self, endpoint: ReadEndpoint) -> None:
        """What opens tickets for our principals is there; told once, whoever shares it."""
        keys = endpoint.config.ticket_keys
        if keys is None or keys in self._tickets:
            return
        self._tickets.add(keys)
        try:
            opened = open_tickets(keys, self._keys, self._environ)
        except ConfigurationError as error:
            for problem in error.problems:
                if problem.where.partition(".")[0] == "kerberos":  # it knows no file
                    endpoint.table.table("kerberos").problem(keys.source, problem.what)
                else:
                    self._problems.add(problem.where, f"{problem.what} (needed by {endpoint.config.path})")
        else:
            self.warnings.update(dict.fromkeys(opened.warnings))
