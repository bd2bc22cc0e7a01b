"""SOAP 1.1 and 1.2 as two values; every difference between them is a field, never an ``if``."""

from dataclasses import dataclass
from typing import Final

from wsprovider.words import namespaces as ns
from wsprovider.words import uris


@dataclass(frozen=True, slots=True)
class SoapVersion:
    """One version of SOAP.

    Attributes:
        name: ``1.1`` or ``1.2``.
        namespace: of Envelope, Header, Body and Fault.
        content_type: the media type of messages (RFC 3902 for 1.2).
        role_attribute: local name of the attribute that addresses a header block.
        must_understand_true: the lexical values of mustUnderstand that mean true.
        own_roles: the role values (beside the absent one) that address us.
        client_status, server_status: HTTP status of faults by whose fault it is, as the version's HTTP
            binding has it (SOAP 1.2 part 2, table 20); see docs/decisions/0044 for what is sent.
    """

    name: str
    namespace: str
    content_type: str
    role_attribute: str
    must_understand_true: frozenset[str]
    must_understand_false: frozenset[str]
    own_roles: frozenset[str]
    client_code: str
    server_code: str
    client_status: int
    server_status: int

    @property
    def written_type(self) -> str:
        """The Content-Type of what we send: always in UTF-8."""
        return f"{self.content_type}; charset=utf-8"


SOAP_11: Final = SoapVersion(
    name="1.1",
    namespace=ns.SOAP11,
    content_type="text/xml",
    role_attribute="actor",
    must_understand_true=frozenset({"1"}),
    must_understand_false=frozenset({"0"}),
    own_roles=frozenset({uris.ACTOR_NEXT}),
    client_code="Client",
    server_code="Server",
    client_status=500,
    server_status=500,
)
SOAP_12: Final = SoapVersion(
    name="1.2",
    namespace=ns.SOAP12,
    content_type="application/soap+xml",
    role_attribute="role",
    must_understand_true=frozenset({"1", "true"}),
    must_understand_false=frozenset({"0", "false"}),
    own_roles=frozenset({uris.ROLE_NEXT, uris.ROLE_ULTIMATE}),
    client_code="Sender",
    server_code="Receiver",
    client_status=400,
    server_status=500,
)
SOAP_VERSIONS: Final = {version.namespace: version for version in (SOAP_11, SOAP_12)}
