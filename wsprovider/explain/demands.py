"""What a policy demands of a message, in words, each held against what the judge's rules found.

The rules (:mod:`wsprovider.inbound.rules`) say what is missing; here is only told which demand that concerns.
A finding that belongs to no demand in the list makes the last one, so none is lost.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from wsprovider.explain.report import Demand, Spot, Standing, Trouble
from wsprovider.inbound.finding import Circumstances, Finding
from wsprovider.policy.model import Password
from wsprovider.policy.requirements import KeySource, MessageRequirements, Protection, source_of
from wsprovider.policy.words import KEYS, LAYOUTS, clark, listed, shared_key
from wsprovider.words.reasons import Reason

_TOKEN, _ENDORSING = "UsernameToken", "endorsing"
_OF_BASIC = (Reason.BASIC_MISSING, Reason.BASIC_MALFORMED, Reason.MALFORMED_BASE64, Reason.FIELD_TOO_LONG)
_OF_TOKEN = frozenset(
    {
        Reason.TOKEN_MISSING,
        Reason.DUPLICATE_HEADER_CHILD,
        Reason.PASSWORD_MISSING,
        Reason.NONCE,
        Reason.USERNAME_TOKEN,
    }
)


@dataclass(frozen=True, slots=True)
class _Line:
    """One demand, and the findings that say it is not met.

    Attributes:
        only: details that count, where several demands share a Reason; None: all.
        but: details that do not.
    """

    words: str
    reasons: frozenset[Reason]
    only: str | None = None
    but: tuple[str, ...] = ()

    def concerns(self, finding: Finding) -> bool:
        """Whether a finding says that this demand is not met."""
        detail = finding.detail
        return (
            finding.reason in self.reasons
            and (self.only is None or detail == self.only)
            and detail not in self.but
        )


def demands_of(
    requirements: MessageRequirements,
    circumstances: Circumstances,
    findings: list[Finding] | None,
    spot: Callable[[Finding], Spot | None],
) -> tuple[Demand, ...]:
    """Every demand and how it stands.

    Args:
        findings: of the judge's rules; None where the message could not be held against them at all.
        spot: where in the message a finding points to.
    """
    lines = tuple(_lines(requirements, circumstances))
    if findings is None:
        return tuple(Demand(line.words, Standing.OPEN) for line in lines)
    if [one.reason for one in findings] == [Reason.NO_SECURITY_HEADER]:
        return tuple(
            _demand(line.words, findings, spot)
            if line.concerns(findings[0])
            else Demand(line.words, Standing.OPEN)
            for line in lines
        )
    left = list(findings)
    demands: list[Demand] = []
    for line in lines:
        mine = [one for one in left if line.concerns(one)]
        left = [one for one in left if one not in mine]
        demands.append(_demand(line.words, mine, spot))
    if left:
        demands.append(_demand("Nothing else is wrong", left, spot))
    return tuple(demands)


def _demand(words: str, findings: list[Finding], spot: Callable[[Finding], Spot | None]) -> Demand:
    troubles = tuple(Trouble(one.reason, one.detail, spot(one)) for one in findings)
    return Demand(words, Standing.FAILS if findings else Standing.HOLDS, troubles)


def _lines(wanted: MessageRequirements, circumstances: Circumstances) -> Iterator[_Line]:
    if wanted.protection is Protection.NONE:
        yield _line("It has no Security header: the operation is unprotected", Reason.UNUSED_HEADER_CHILD)
        return
    transport = wanted.protection is Protection.TRANSPORT
    if transport:
        yield _line("It comes by TLS", Reason.TRANSPORT)
    if wanted.http_basic:
        yield _line("A user name and a password come with HTTP (Basic)", *_OF_BASIC)
    if wanted.has_signature or wanted.timestamp or wanted.usernames or not wanted.http_basic:
        yield _line("It has a Security header for us", Reason.NO_SECURITY_HEADER)
    yield from _times(wanted, circumstances, signed=not transport)
    if wanted.has_signature:
        yield from _signature(wanted)
    if wanted.has_encryption:
        yield from _encryption(wanted)
    yield from _tokens(wanted, circumstances, transport=transport)
    yield from _confirmation(wanted)
    for part in wanted.required_headers:
        yield _Line(
            f"It has the header {clark(part)}",
            frozenset({Reason.HEADER_MISSING}),
            clark(part),
        )
    if wanted.layout in LAYOUTS:
        yield _line(LAYOUTS[wanted.layout], Reason.LAYOUT)
    yield _line(f"All algorithms are of the suite {wanted.suite.name}", Reason.ALGORITHM_NOT_IN_SUITE)
    yield _line("Nothing is encrypted beside what the policy wants encrypted", Reason.ENCRYPTION_UNEXPECTED)
    yield _line(
        "Everything in the Security header is used", Reason.UNUSED_HEADER_CHILD, Reason.TOKEN_UNEXPECTED
    )
    yield _line("What it asks for is what this way of protection is for", Reason.WRONG_POLICY)


def _times(wanted: MessageRequirements, circumstances: Circumstances, *, signed: bool) -> Iterator[_Line]:
    if not wanted.timestamp:
        return
    yield _line("It has a Timestamp", Reason.TIMESTAMP_MISSING)
    if signed:
        yield _line("The Timestamp is signed", Reason.TIMESTAMP_NOT_SIGNED)
    limits = circumstances.freshness
    life, skew = limits.life.total_seconds(), limits.skew.total_seconds()
    words = f"The Timestamp is fresh (at most {life:.0f} s old, clocks apart by at most {skew:.0f} s)"
    reasons = {
        Reason.TIMESTAMP_EXPIRED,
        Reason.TIMESTAMP_FUTURE,
        Reason.TIMESTAMP_MALFORMED,
        Reason.TIMESTAMP_LIFE,
    }
    yield _Line(words, frozenset(reasons), but=(_TOKEN,))


def _signature(wanted: MessageRequirements) -> Iterator[_Line]:
    by = "a certificate that we trust" if wanted.request else "the service's certificate"
    if wanted.protection is Protection.SYMMETRIC:
        by = shared_key(wanted)
    yield _Line(
        f"It has one message signature, by {by}",
        frozenset({Reason.SIGNATURE_MISSING, Reason.SIGNATURE_UNEXPECTED, Reason.KEY_KIND}),
        but=(_ENDORSING,),
    )
    if wanted.signature_derived:
        yield _Line(
            "The signature's key is a derived one", frozenset({Reason.DERIVED_KEYS_REQUIRED}), "signature"
        )
    if wanted.signed.body:
        yield _line("The Body is signed", Reason.BODY_NOT_SIGNED)
    if wanted.signed.headers or wanted.signed.all_headers:
        yield _line(f"Signed, where present: {listed(wanted.signed)}", Reason.HEADER_NOT_SIGNED)
    if wanted.protect_tokens:
        yield _Line(
            "The signature covers the token of its key",
            frozenset({Reason.TOKEN_NOT_PROTECTED}),
            but=(_ENDORSING,),
        )
    if wanted.request and wanted.protection is Protection.SYMMETRIC:
        yield _line("It is no reply of ours that came back", Reason.REPLAY)


def _encryption(wanted: MessageRequirements) -> Iterator[_Line]:
    if wanted.encrypted.body:
        yield _line("The Body's content is encrypted", Reason.BODY_NOT_ENCRYPTED)
    if wanted.encrypted.headers or wanted.encrypted.all_headers:
        yield _line(f"Encrypted, where present: {listed(wanted.encrypted)}", Reason.HEADER_NOT_ENCRYPTED)
    if wanted.encrypt_signature and wanted.has_signature:
        yield _line("The Signature is encrypted", Reason.SIGNATURE_NOT_ENCRYPTED)
    if wanted.encryption_derived:
        words = "The keys that encrypt are derived ones, and sign nothing"
        yield _Line(
            words, frozenset({Reason.DERIVED_KEYS_REQUIRED, Reason.ONE_DERIVED_KEY}), but=("signature",)
        )
    both = "signs and encrypts" if wanted.protection is Protection.SYMMETRIC else "encrypts"
    yield _line(f"One key {both} everything: {shared_key(wanted)}", Reason.PROTECTION_KEY)


def _tokens(wanted: MessageRequirements, circumstances: Circumstances, *, transport: bool) -> Iterator[_Line]:
    for username in wanted.usernames:
        digest = username.token.password is Password.HASH
        words = f"It has one UsernameToken{' with a password digest' if digest else ''}"
        yield _Line(words, _OF_TOKEN | {Reason.PASSWORD_TYPE}, but=(_ENDORSING,))
        if username.signed and not transport:
            yield _Line("The UsernameToken is signed", frozenset({Reason.TOKEN_NOT_SIGNED}), _TOKEN)
        if username.encrypted and not transport:
            yield _Line("The UsernameToken is encrypted", frozenset({Reason.TOKEN_NOT_ENCRYPTED}), _TOKEN)
        stale = frozenset({Reason.TIMESTAMP_EXPIRED, Reason.TIMESTAMP_FUTURE})
        yield _Line("The UsernameToken is fresh, if it says when it was made", stale, _TOKEN)
        if not circumstances.clear_password_over_http:
            yield _line("Encryption or TLS hides a clear password", Reason.PASSWORD_CLEAR)
    reasons = {
        Reason.TOKEN_MISSING,
        Reason.SIGNATURE_UNEXPECTED,
        Reason.TOKEN_NOT_SIGNED,
        Reason.TOKEN_NOT_ENCRYPTED,
        Reason.TOKEN_NOT_PROTECTED,
    }
    for endorsing in wanted.endorsing:
        over = "the Timestamp" if transport else "the message signature"
        key = "a certificate that we trust"
        if source_of(endorsing.token) is not KeySource.ENCRYPTED_KEY:
            key = KEYS[source_of(endorsing.token)]
        yield _Line(f"An endorsing signature over {over}, by {key}", frozenset(reasons), _ENDORSING)


def _confirmation(wanted: MessageRequirements) -> Iterator[_Line]:
    if wanted.confirmation:
        yield _line("It confirms the request's signatures", Reason.SIGNATURE_CONFIRMATION)
    if wanted.request and not wanted.stray_confirmation:
        yield _line("It has no SignatureConfirmation", Reason.SIGNATURE_CONFIRMATION_IN_REQUEST)


def _line(words: str, *reasons: Reason) -> _Line:
    return _Line(words, frozenset(reasons))
