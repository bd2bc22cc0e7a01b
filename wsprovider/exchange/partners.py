"""Partners: under which name somebody calls who proved one of several things, and what they may do then.

A partner is known by identities: certificates as trust knows them, users, holders of Kerberos tickets. Trust and
the user store say whether a proof holds; this says whose it is. Plain values, read elsewhere and the same for the
whole of a message.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from wsprovider.inbound.evidence import CertificateKey, MessageKey, SecretKey
from wsprovider.keyring.contexts import SecurityContext
from wsprovider.policy.model import Policy
from wsprovider.policy.suites import with_suites
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.words.suites import Suite, allow_sha1, allow_short_symmetric_keys

CERTIFICATE: Final = "certificate"
USER: Final = "user"
TICKET: Final = "ticket"


def certificate_identity(group: str, name: str) -> str:
    """Of a certificate's holder, as a trust group knows it."""
    return f"{CERTIFICATE} {group}/{name}"


def certificate_identities(groups: Iterable[str], name: str) -> tuple[str, ...]:
    """Of a certificate's holder, as each of several trust groups knows it."""
    return tuple(certificate_identity(group, name) for group in groups)


def user_identity(name: str) -> str:
    """Of a user, by the name in the user store."""
    return f"{USER} {name}"


def ticket_identity(principal: str) -> str:
    """Of the holder of a Kerberos ticket, by the whole principal."""
    return f"{TICKET} {principal}"


def signer_of(key: MessageKey) -> tuple[str, ...] | None:
    """The identities of whoever holds a key that signed; None where anybody may have made it."""
    if isinstance(key, CertificateKey):
        return certificate_identities(key.groups, key.partner)
    if not isinstance(key, SecretKey):
        raise TypeError("see MessageKey")
    if key.root.ticket is not None:
        return (ticket_identity(key.root.ticket.principal),)
    context = key.root.context
    return context.owner.identities if isinstance(context, SecurityContext) else None


@dataclass(frozen=True, slots=True)
class Deviation:
    """How a partner's messages may differ from an endpoint's own policy: in their algorithms.

    Attributes:
        suite: instead of the policy's; None: the policy's own.
        rsa_sha1, short_symmetric_keys: what is accepted beside what that suite names.
    """

    suite: Suite | None = None
    rsa_sha1: bool = False
    short_symmetric_keys: bool = False

    @property
    def label(self) -> str:
        """What tells it from others, the same in every process; never empty."""
        lines = [name for name in ("rsa_sha1", "short_symmetric_keys") if getattr(self, name)]
        return "+".join([*([self.suite.name] if self.suite else []), *lines]) or "none"

    def of(self, policy: Policy) -> Policy:
        """The policy that such messages are judged by."""
        suite = self.suite
        if suite is not None:
            policy = with_suites(policy, lambda _: suite)
        if self.rsa_sha1:
            policy = with_suites(policy, allow_sha1)
        return with_suites(policy, allow_short_symmetric_keys) if self.short_symmetric_keys else policy


@dataclass(frozen=True, slots=True)
class Access:
    """What a partner may do at one endpoint.

    Attributes:
        operations: that may be called; None: all.
        deviation: from the endpoint's policy; None: there is none.
    """

    operations: frozenset[str] | None = None
    deviation: Deviation | None = None


@dataclass(frozen=True, slots=True)
class Partner:
    """Somebody we do business with.

    Attributes:
        name: under which services see the caller.
        identities: what a partner may prove to be this one.
        roles: beside those of trust or user store.
        access: by the name of each endpoint that may be called.
    """

    name: str
    identities: tuple[str, ...]
    roles: frozenset[str] = frozenset()
    access: Mapping[str, Access] = field(default_factory=dict)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of its identities."""
        return frozenset(one.partition(" ")[0] for one in self.identities)


class Partners:
    """All partners at one moment."""

    def __init__(self, partners: Iterable[Partner] = ()) -> None:
        """Take them; no two may have an identity in common."""
        self.all = tuple(partners)
        self._by_identity = {identity: partner for partner in self.all for identity in partner.identities}

    def of(self, identities: Iterable[str]) -> Partner | None:
        """Who has one of these identities; None: nobody.

        Raises:
            WSSecurityError: PARTNER_UNKNOWN: two partners have (one certificate that two trust groups pin).
        """
        found = dict.fromkeys(self._names(identities))
        if len(found) > 1:
            raise WSSecurityError(Reason.PARTNER_UNKNOWN, f"one certificate of several: {', '.join(found)}")
        return next((self._by_identity[one] for one in identities if one in self._by_identity), None)

    def name_of(self, identities: Iterable[str]) -> str:
        """The name of the one who has one of these identities; empty: nobody, or not one alone."""
        found = set(self._names(identities))
        return found.pop() if len(found) == 1 else ""

    def _names(self, identities: Iterable[str]) -> list[str]:
        return [self._by_identity[one].name for one in identities if one in self._by_identity]


NO_PARTNERS = Partners()


def check_permitted(partner: Partner | None, endpoint: str, operation: str | None, *, required: bool) -> None:
    """Refuse what a partner may not call.

    Args:
        partner: who called; None: none of them.
        operation: its name; None for a request for a security context, which is no service's operation.
        required: the endpoint serves partners only.

    Raises:
        WSSecurityError: PARTNER_UNKNOWN, PARTNER_SERVICE, PARTNER_OPERATION.
    """
    if partner is None:
        if required:
            raise WSSecurityError(Reason.PARTNER_UNKNOWN)
        return
    access = partner.access.get(endpoint)
    if access is None:
        raise WSSecurityError(Reason.PARTNER_SERVICE, partner.name)
    if operation is not None and access.operations is not None and operation not in access.operations:
        raise WSSecurityError(Reason.PARTNER_OPERATION, f"{partner.name}: {operation}")
