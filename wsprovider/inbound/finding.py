"""What a rule found missing, and what rules are told beside the evidence."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wsprovider.inbound.evidence import CertificateKey, Evidence, SignatureFact
from wsprovider.inbound.http_basic import BasicCredentials
from wsprovider.policy.requirements import MessageRequirements, Protection
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason


@dataclass(frozen=True, slots=True)
class Finding:
    """One requirement that the evidence does not meet."""

    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old and how far ahead a message may be.

    Attributes:
        life: the longest a message is fresh, whatever its Expires says, and the life of our own.
        skew: how far a sender's clock may be behind ours.
        future: how far a sender's clock may be ahead of ours.
    """

    life: timedelta = timedelta(seconds=300)
    skew: timedelta = timedelta(seconds=60)
    future: timedelta = timedelta(seconds=60)

    @property
    def retention(self) -> timedelta:
        """How long an accepted message could be accepted again: from the earliest moment on to the last."""
        return self.life + self.skew + self.future


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a message beside its evidence.

    Attributes:
        secure: it came by TLS.
        client_certificate: TLS proved a certificate of the client.
        sent_signatures: for a reply: the values of the signatures that our request held.
        basic: what HTTP says of the caller, where some alternative asks for it; an error where it says nothing
            that can be read.
    """

    now: datetime
    freshness: Freshness
    secure: bool
    client_certificate: bool = False
    clear_password_over_http: bool = False
    sent_signatures: tuple[bytes, ...] = ()
    basic: BasicCredentials | WSSecurityError | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One message held against the requirements of one alternative.

    Attributes:
        main: the message signature; None unless there is exactly one.
        endorsing: signatures over another signature; where TLS protects the message, over what they sign.
    """

    requirements: MessageRequirements
    evidence: Evidence
    circumstances: Circumstances
    main: SignatureFact | None = field(init=False)
    endorsing: tuple[SignatureFact, ...] = field(init=False)

    def __post_init__(self) -> None:
        signatures = self.evidence.signatures
        mains = signatures
        endorsing: tuple[SignatureFact, ...] = ()
        if self.requirements.protection is Protection.TRANSPORT:
            mains, endorsing = (), signatures
        elif len(signatures) > 1:
            elements = {self.evidence.child(fact.signature.index) for fact in signatures}
            endorsing = tuple(fact for fact in signatures if elements & fact.covered)
            mains = tuple(fact for fact in signatures if not elements & fact.covered)
        object.__setattr__(self, "main", mains[0] if len(mains) == 1 else None)
        object.__setattr__(self, "endorsing", endorsing)

    @property
    def certificate_key(self) -> CertificateKey | None:
        """The certificate that shows who sent the message, by the message signature or an endorsing one."""
        for fact in (self.main, *self.endorsing):
            if fact is not None and isinstance(fact.key, CertificateKey):
                return fact.key
        return None


Rule = Callable[[Case], Iterator[Finding]]
