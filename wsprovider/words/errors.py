"""The families of error that the house keeps apart.

* the peer's message: :class:`WSSecurityError` (a WS-Security fault code and a bounded Reason) and
  :class:`SoapError` (SOAP and WS-Addressing faults that the standards name);
* the operator's set-up: :class:`ConfigurationError`, listing every problem at once;
* a backend that does not answer: :class:`BackendError`;
* our own misuse is a plain ``RuntimeError``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from wsprovider.words.reasons import Reason


class FaultCode(Enum):
    """SOAP Message Security 1.1, section 12: fault codes, kept for the log and for tests."""

    UNSUPPORTED_SECURITY_TOKEN = "UnsupportedSecurityToken"
    UNSUPPORTED_ALGORITHM = "UnsupportedAlgorithm"
    INVALID_SECURITY = "InvalidSecurity"
    INVALID_SECURITY_TOKEN = "InvalidSecurityToken"
    FAILED_AUTHENTICATION = "FailedAuthentication"
    FAILED_CHECK = "FailedCheck"
    SECURITY_TOKEN_UNAVAILABLE = "SecurityTokenUnavailable"
    MESSAGE_EXPIRED = "MessageExpired"


class WsproviderError(Exception):
    """Base of every error that the package raises on purpose."""


class WSSecurityError(WsproviderError):
    """The peer's message was refused.

    Attributes:
        reason: the precise cause, for the log, the metric and the tests; never sent to the peer.
        code: the WS-Security fault code of that cause.
        detail: a few words for the operator (attacker text in it is bounded, and escaped by the log).
        decrypted: something of the message had been decrypted; when the answer goes must not say what became of it.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        self.reason = reason
        self.decrypted = False
        self.detail = detail[:300]
        super().__init__(f"{reason.name}: {self.detail}" if detail else reason.name)

    @property
    def code(self) -> FaultCode:
        """The WS-Security fault code that belongs to the reason."""
        return FaultCode(self.reason.fault_code)


class SoapFault(Enum):
    """Faults that SOAP, WS-Addressing, WS-Trust and WS-SecureConversation name and that tell an attacker nothing."""

    VERSION_MISMATCH = "VersionMismatch"
    MUST_UNDERSTAND = "MustUnderstand"
    CLIENT = "Client"
    SERVER = "Server"
    ACTION_MISMATCH = "ActionMismatch"
    INVALID_ADDRESSING_HEADER = "InvalidAddressingHeader"
    MESSAGE_ADDRESSING_HEADER_REQUIRED = "MessageAddressingHeaderRequired"
    ONLY_ANONYMOUS = "OnlyAnonymousAddressSupported"
    DESTINATION_UNREACHABLE = "DestinationUnreachable"
    # WS-SecureConversation 1.3 section 10 and WS-Trust 1.3 section 11
    BAD_CONTEXT_TOKEN = "BadContextToken"
    UNABLE_TO_RENEW = "UnableToRenew"
    INVALID_REQUEST = "InvalidRequest"
    REQUEST_FAILED = "RequestFailed"


class SoapError(WsproviderError):
    """The message is no acceptable SOAP message, whatever its security says.

    Attributes:
        fault: which standard fault answers it.
        reason: the precise cause, for the log.
        status: the HTTP status that goes with it (SOAP 1.1 and 1.2 differ; the binding decides
            unless this is set, as for 413 and 415).
        namespace: of the fault's code, for faults that several versions of a standard name.
    """

    def __init__(
        self,
        fault: SoapFault,
        reason: Reason,
        detail: str = "",
        *,
        status: int | None = None,
        namespace: str | None = None,
    ) -> None:
        self.fault = fault
        self.reason = reason
        self.detail = detail[:300]
        self.status = status
        self.namespace = namespace
        super().__init__(f"{reason.name}: {self.detail}" if detail else reason.name)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in the set-up: where it stands, and what to do.

    Attributes:
        where: file and key, such as ``services/echo/service.toml: endpoint[2].scenario``.
        what: one sentence that says what is wrong and what would be right.
    """

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class ConfigurationError(WsproviderError):
    """The operator's set-up cannot work; every problem found is listed at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class BackendError(WsproviderError):
    """A store or service that we depend on did not answer; requests fail closed."""


class BackendFullError(BackendError):
    """A store has no room for what is new, and gives nothing up for it that is alive."""
