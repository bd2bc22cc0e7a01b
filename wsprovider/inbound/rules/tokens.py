"""Transport and supporting tokens (WS-SecurityPolicy 1.2, sections 5.4, 7.3 and 8)."""

from collections.abc import Iterator
from typing import Final

from wsprovider.header.username_token import UsernameToken
from wsprovider.inbound.finding import Case, Finding, Rule
from wsprovider.policy.model import Password
from wsprovider.policy.requirements import Protection, UsernameRequirement
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason


def transport(case: Case) -> Iterator[Finding]:
    """A TransportBinding wants TLS, whatever the message says."""
    if case.requirements.protection is Protection.TRANSPORT and not case.circumstances.secure:
        yield Finding(Reason.TRANSPORT)


def basic(case: Case) -> Iterator[Finding]:
    """Credentials of HTTP where they are called for; where they are not, nobody would look at them."""
    given = case.circumstances.basic
    if not case.requirements.http_basic:
        if given is not None:
            yield Finding(Reason.TOKEN_UNEXPECTED, "Authorization")
    elif given is None:
        yield Finding(Reason.BASIC_MISSING)
    elif isinstance(given, WSSecurityError):
        yield Finding(given.reason, given.detail)


def username(case: Case) -> Iterator[Finding]:
    """A UsernameToken where one is called for, none where none is."""
    tokens = case.evidence.candidates.usernames
    wanted = case.requirements.usernames
    if not wanted:
        if tokens:
            yield Finding(Reason.TOKEN_UNEXPECTED, "UsernameToken")
        return
    if not tokens:
        yield Finding(Reason.TOKEN_MISSING, "UsernameToken")
        return
    if len(tokens) > 1:
        yield Finding(Reason.DUPLICATE_HEADER_CHILD, "UsernameToken")
        return
    (token,) = tokens.values()
    yield from _protected(case, token, wanted[0])
    yield from _password(case, token, wanted[0])


def _protected(case: Case, token: UsernameToken, wanted: UsernameRequirement) -> Iterator[Finding]:
    """Signed and encrypted as the supporting token assertion says (section 8)."""
    if case.requirements.protection is Protection.TRANSPORT:
        return
    element = case.evidence.child(token.index)
    main = case.main
    if wanted.signed and (main is None or not main.covers(element)):
        yield Finding(Reason.TOKEN_NOT_SIGNED, "UsernameToken")
    if wanted.encrypted and not _encrypted(case, token):
        yield Finding(Reason.TOKEN_NOT_ENCRYPTED, "UsernameToken")


def _encrypted(case: Case, token: UsernameToken) -> bool:
    element = case.evidence.child(token.index)
    return any(fact.element is element for fact in case.evidence.decryptions)


def _password(case: Case, token: UsernameToken, wanted: UsernameRequirement) -> Iterator[Finding]:
    """UsernameToken Profile 1.1, section 3.1."""
    if token.password is None:
        yield Finding(Reason.PASSWORD_MISSING)
        return
    if wanted.token.password is Password.HASH and not token.digest:
        yield Finding(Reason.PASSWORD_TYPE, "the policy wants a digest")
    if (token.digest or wanted.token.nonce) and token.nonce is None:
        yield Finding(Reason.NONCE, "none")
    if (token.digest or wanted.token.created) and token.created_at is None:
        yield Finding(Reason.USERNAME_TOKEN, "no Created")
    yield from _age(case, token)
    circumstances = case.circumstances
    hidden = circumstances.secure or _encrypted(case, token)
    if not token.digest and not hidden and not circumstances.clear_password_over_http:
        yield Finding(Reason.PASSWORD_CLEAR, "neither TLS nor encryption hides it")


def _age(case: Case, token: UsernameToken) -> Iterator[Finding]:
    """A token that says when it was made must be as fresh as a Timestamp (section 3.1)."""
    if token.created_at is None:
        return
    limits, now = case.circumstances.freshness, case.circumstances.now
    if token.created_at > now + limits.future:
        yield Finding(Reason.TIMESTAMP_FUTURE, "UsernameToken")
    elif token.created_at + limits.life + limits.skew <= now:
        yield Finding(Reason.TIMESTAMP_EXPIRED, "UsernameToken")


RULES: Final[tuple[Rule, ...]] = (transport, basic, username)
