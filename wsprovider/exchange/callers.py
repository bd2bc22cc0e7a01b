"""Who sent a message: by its own proof, or by what opened the context that protects it."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from wsprovider.exchange.guessing.attempt import Guesses
from wsprovider.exchange.kerberos import ticket_of
from wsprovider.exchange.partners import (
    Partner,
    certificate_identities,
    ticket_identity,
    user_identity,
)
from wsprovider.exchange.principal import ANONYMOUS, Principal, Proof
from wsprovider.exchange.settings import KerberosSettings
from wsprovider.exchange.transport import Transport
from wsprovider.inbound import http_basic
from wsprovider.inbound.authenticate import authenticate, authenticate_basic
from wsprovider.inbound.finding import Case
from wsprovider.inbound.http_basic import BasicCredentials
from wsprovider.inbound.judge import Verdict
from wsprovider.keyring.contexts import ContextOwner, SecurityContext
from wsprovider.keyring.snapshot import KeySnapshot, Trusted
from wsprovider.keyring.tickets import TicketKey
from wsprovider.policy.requirements import MessageRequirements
from wsprovider.ports import Admission, User, Users, admit_all
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

_REMEMBERED = 10_000
_PROOFS = {proof.value: proof for proof in Proof}


class Callers:
    """Turns proofs into owners; shared by all threads of an endpoint."""

    def __init__(
        self,
        users: Users | None,
        limits: Limits,
        recheck: timedelta,
        *,
        kerberos: KerberosSettings | None = None,
        roles: bool = False,
        guesses: Guesses | None = None,
    ) -> None:
        """Take the user store.

        Args:
            guesses: counts wrong passwords; None: nobody does.
            kerberos: how holders of tickets are called.
            roles: the service asks for some; those of ticket holders are the user store's.
            recheck: how long a user of a context is taken for present without another look.
        """
        self._users, self._limits, self._recheck = users, limits, recheck
        self._guesses = guesses
        self._kerberos, self._roles = kerberos or KerberosSettings(), roles
        self._seen: OrderedDict[tuple[str, str | None], datetime] = OrderedDict()

    def proven(
        self, verdict: Verdict, transport: Transport, now: datetime, *, client: Trusted | None
    ) -> ContextOwner:
        """Who sent a message that met its policy by itself.

        Args:
            client: whose the certificate of TLS client authentication is; None: the policy demands none.

        Raises:
            WSSecurityError: what authentication says.
            BackendError: the user store, or the one that counts wrong passwords, did not answer.
        """
        case = verdict.case
        holder = case.certificate_key
        certificate = holder.certificate if holder is not None else None
        path = holder.path if holder is not None else ()
        fingerprint = client.certificate.fingerprint if client is not None else None
        if case.requirements.names_user:
            user, proof = self._user(case, transport, now)
            return ContextOwner(
                user.name,
                proof.value,
                certificate,
                path,
                user.roles,
                user.version,
                fingerprint,
                (user_identity(user.name),),
            )
        if holder is not None:
            return ContextOwner(
                holder.partner,
                Proof.CERTIFICATE.value,
                certificate,
                path,
                holder.roles,
                None,
                fingerprint,
                certificate_identities(holder.groups, holder.partner),
            )
        ticket = ticket_of(case)
        if ticket is not None:
            return self._holder(ticket, fingerprint)
        if client is not None:
            return ContextOwner(
                client.partner,
                Proof.TLS_CERTIFICATE.value,
                client.certificate,
                (),
                client.roles,
                None,
                fingerprint,
                certificate_identities(client.groups, client.partner),
            )
        return ContextOwner("", Proof.NOTHING.value)

    def basic(
        self, transport: Transport, alternatives: Sequence[MessageRequirements]
    ) -> BasicCredentials | WSSecurityError | None:
        """What HTTP says of a caller, or why it cannot be read; not looked at where no alternative asks for it."""
        if transport.authorization is None or not any(one.http_basic for one in alternatives):
            return None
        try:
            return http_basic.read(transport.authorization, self._limits)
        except WSSecurityError as error:
            return error

    def _user(self, case: Case, transport: Transport, now: datetime) -> tuple[User, Proof]:
        """The user whose password came with the message, or with HTTP; no requirements have both."""
        limits, basic = self._limits, case.circumstances.basic
        if isinstance(basic, BasicCredentials):
            return self._authenticated(
                lambda users, admit: authenticate_basic(basic, users, limits, admit=admit),
                basic.name,
                transport,
                now,
            ), Proof.HTTP_BASIC
        (token,) = case.evidence.candidates.usernames.values()
        return self._authenticated(
            lambda users, admit: authenticate(token, users, limits, admit=admit),
            token.username,
            transport,
            now,
        ), Proof.PASSWORD_DIGEST if token.digest else Proof.PASSWORD

    def _authenticated(
        self, ask: Callable[[Users, Admission], User], name: str, transport: Transport, now: datetime
    ) -> User:
        if self._users is None:
            raise RuntimeError("checked at start")
        if self._guesses is None:
            return ask(self._users, admit_all)
        with self._guesses.attempt(name, transport.peer, now) as attempt:
            return ask(self._users, attempt.admit)

    def _holder(self, ticket: TicketKey, fingerprint: str | None) -> ContextOwner:
        """Whoever holds a ticket; a role has to come from the user store."""
        name = self._kerberos.name_of(ticket.principal)
        user = self._users.find(name) if self._roles and self._users is not None else None
        roles = frozenset[str]() if user is None else user.roles
        version = None if user is None else user.version
        known_by = (ticket_identity(ticket.principal),)
        return ContextOwner(name, Proof.TICKET.value, None, (), roles, version, fingerprint, known_by)

    def present(
        self, context: SecurityContext, keys: KeySnapshot, transport: Transport, now: datetime
    ) -> bool:
        """Whether the owner of a context is still there, and still what they were.

        Raises:
            WSSecurityError: CONTEXT_IDENTITY: the message came by somebody else's TLS connection.
            BackendError: the user store did not answer.
        """
        owner = context.owner
        tls = transport.client_certificate
        if owner.transport_certificate is not None and (
            tls is None or tls.fingerprint != owner.transport_certificate
        ):
            raise WSSecurityError(Reason.CONTEXT_IDENTITY, "another TLS client certificate")
        if owner.certificate is not None:
            try:
                trusted = keys.trust(owner.certificate, owner.path, now)
            except WSSecurityError:
                return False
            if owner.user_version is None and not _still(owner, trusted):
                return False
        return owner.user_version is None or self._same_user(owner, now)

    def _same_user(self, owner: ContextOwner, now: datetime) -> bool:
        key = (owner.name, owner.user_version)
        seen = self._seen.get(key)
        if seen is not None and seen <= now < seen + self._recheck:
            return True
        if self._users is None:
            raise RuntimeError("checked at start")
        try:
            if self._users.find(owner.name).version != owner.user_version:
                return False
        except WSSecurityError:
            return False
        self._seen[key] = now
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return True


def check_client_certificate(transport: Transport, keys: KeySnapshot, now: datetime) -> Trusted:
    """Hold the certificate of TLS client authentication against the service's own trust.

    The server's list of authorities lets in whoever has any certificate of theirs; a partner is who is trusted here.

    Raises:
        WSSecurityError: CLIENT_CERTIFICATE_MISSING, or what trust says of it.
    """
    if transport.client_certificate is None:
        raise WSSecurityError(Reason.CLIENT_CERTIFICATE_MISSING)
    return keys.trust(transport.client_certificate, (), now)


def principal_of(owner: ContextOwner, partner: Partner | None) -> Principal:
    """The caller that a service sees."""
    proof = _PROOFS[owner.proof]
    if proof is Proof.NOTHING:
        return ANONYMOUS
    if partner is None:
        return Principal(owner.name, proof, owner.certificate, owner.roles, owner.name)
    roles = owner.roles | partner.roles
    return Principal(partner.name, proof, owner.certificate, roles, owner.name, partner=True)


def _still(owner: ContextOwner, trusted: Trusted) -> bool:
    """Whether trust knows the holder of a certificate as it did; earlier versions noted no identities."""
    identities = certificate_identities(trusted.groups, trusted.partner)
    known = owner.identities in ((), identities)
    return known and (trusted.partner, trusted.roles) == (owner.name, owner.roles)


def same_owner(one: ContextOwner, other: ContextOwner) -> bool:
    """Whether two bootstraps proved the same caller; nobody in particular is never the same."""
    anonymous = Proof.NOTHING.value
    return one.proof != anonymous and _identity(one) == _identity(other)


def _identity(owner: ContextOwner) -> tuple[str, str, str | None, str | None]:
    """A user of the store is one by every proof; a certificate's name and a ticket's are not of one kind."""
    proof = owner.proof if owner.user_version is None else None
    return owner.partner, owner.name, proof, owner.transport_certificate
