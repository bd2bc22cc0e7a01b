"""What a refusal means, and what to do about it: two sentences for each of the common Reasons."""

from collections.abc import Iterator
from typing import Final

from wsprovider.explain.report import shown
from wsprovider.policy.requirements import MessageRequirements
from wsprovider.words.reasons import Reason

_KEYS_SEEN: Final = "Look at the item below: it names the key that was addressed, and those that we hold."
_SIGNED: Final = (
    "Have the client sign it: import our WSDL anew, or give the client the policy that it carries."
)
_ENCRYPTED: Final = (
    "Have the client encrypt it: import our WSDL anew, or give the client the policy that it carries."
)

_MEANINGS: Final[dict[Reason, tuple[str, str]]] = {
    Reason.NOT_WELL_FORMED: (
        "it is no well-formed XML",
        "Look at line and column; was it cut off when it was saved?",
    ),
    Reason.ENCODING: ("it is not encoded as it says", "Send UTF-8, and a Content-Type that says so."),
    Reason.SOAP_VERSION: (
        "it is not of the SOAP version that its Content-Type promises",
        "text/xml goes with SOAP 1.1, application/soap+xml with SOAP 1.2.",
    ),
    Reason.SOAP_STRUCTURE: (
        "its frame is no SOAP envelope's",
        "An Envelope holds an optional Header and one Body with at most one element.",
    ),
    Reason.NOT_UNDERSTOOD: (
        "a header that must be understood is not",
        "Declare the header in the service, or have the client leave mustUnderstand out.",
    ),
    Reason.NOT_AN_INPUT: (
        "the Body's element is no operation of this service",
        "Is it the right endpoint? Compare name and namespace with the WSDL.",
    ),
    Reason.ACTION_MISMATCH: (
        "its action names another operation than its Body",
        "Have the client send the action that the WSDL gives for this operation.",
    ),
    Reason.ADDRESSING_TO: (
        "it is addressed to somebody else",
        "Compare wsa:To with the endpoint's address; behind a proxy, set public_url.",
    ),
    Reason.NO_SECURITY_HEADER: (
        "it has no Security header for us",
        "The client applied no security: give it the policy of our WSDL. Is the header's actor or role somebody else's?",
    ),
    Reason.UNKNOWN_HEADER_CHILD: (
        "its Security header holds something unknown",
        "Have the client leave it out; what is not accounted for is refused.",
    ),
    Reason.UNUSED_HEADER_CHILD: (
        "something in its Security header is used by nothing",
        "Have the client leave it out; what is not accounted for is refused.",
    ),
    Reason.DUPLICATE_ID: (
        "two elements have one id",
        "If nobody tampered with it, the client's application data uses ids of the security layer.",
    ),
    Reason.UNRESOLVED_REFERENCE: (
        "a key is named that is not to be found",
        _KEYS_SEEN + " A client with an old certificate of ours needs the present one (wsprovider keys).",
    ),
    Reason.AMBIGUOUS_KEY: (
        "a key's name fits several keys",
        "Have the client name certificates by thumbprint or issuer and serial number.",
    ),
    Reason.ALGORITHM_NOT_IN_SUITE: (
        "an algorithm is not of the policy's suite",
        "Set the client's algorithms: in Apache CXF the properties ws-security.asymmetric.signature.algorithm and ws-security.symmetric.signature.algorithm; for partners who cannot, a visible line of the service (suite, rsa_sha1).",
    ),
    Reason.KEY_KIND: (
        "the kind of key does not fit",
        "A symmetric binding is signed by the shared key, an asymmetric one by the client's certificate: compare the client's policy with ours.",
    ),
    Reason.KEY_SIZE: (
        "a key's length does not fit the suite",
        "Compare the client's algorithm suite with ours.",
    ),
    Reason.SIGNATURE_VALUE: (
        "a signature does not hold under the key that it names",
        "Another key signed, or SignedInfo was changed on the way (indentation, line ends, namespaces): compare with what the client logged.",
    ),
    Reason.DIGEST_MISMATCH: (
        "something is not what was signed",
        "It was changed on the way (a proxy, pretty-printing, character set), or was canonicalised differently: compare with what the client logged.",
    ),
    Reason.REFERENCE_TARGET: (
        "a signature covers something that is not there or may not be signed",
        "Only the Body, header blocks and children of Security are signed.",
    ),
    Reason.REFERENCE_LIST: (
        "the lists of what is encrypted do not fit what is",
        "Was something removed or moved on the way?",
    ),
    Reason.ENCRYPTION_PLACE: (
        "something is encrypted at a place where no policy has it",
        "Only the Body's content, header blocks and children of Security are encrypted.",
    ),
    Reason.DECRYPTION: (
        "something cannot be decrypted",
        "The client encrypted with another key than it names, to another certificate than ours, or it was changed on the way.",
    ),
    Reason.DECRYPTED_STRUCTURE: (
        "what was decrypted does not fit its place",
        "Type Element must hold one element, Type Content all of the Body's content, in well-formed XML.",
    ),
    Reason.CERTIFICATE_NOT_TRUSTED: (
        "the certificate that signed is not trusted",
        "If it is the partner's: wsprovider keys trust add FILE --partner NAME",
    ),
    Reason.CERTIFICATE_EXPIRED: (
        "the certificate that signed has expired",
        "Ask the partner for the renewed one: wsprovider keys trust add FILE --partner NAME",
    ),
    Reason.CERTIFICATE_NOT_YET_VALID: (
        "the certificate that signed is not valid yet",
        "Compare the clocks; --at sets the one used here.",
    ),
    Reason.CERTIFICATE_REVOKED: (
        "the certificate that signed was revoked",
        "The partner has to sign with another one.",
    ),
    Reason.CERTIFICATE_SUBJECT: (
        "the certificate's subject is not one that we expect",
        "See the subjects of the trust group.",
    ),
    Reason.OWN_CERTIFICATE: (
        "it is signed by our own certificate",
        "The client has to sign with a key of its own.",
    ),
    Reason.PASSWORD_MISSING: ("its UsernameToken has no password", "Have the client send one."),
    Reason.PASSWORD_TYPE: (
        "its password is of another type than the policy wants",
        "Set the client's password type (text or digest) to what the policy says.",
    ),
    Reason.PASSWORD_CLEAR: (
        "its clear password is hidden by nothing",
        "Use TLS, a scenario that encrypts the token, or the visible line clear_password_over_http; here, --tls says that it came by TLS.",
    ),
    Reason.BASIC_MISSING: (
        "neither a Security header nor HTTP's Authorization says who calls",
        "Give the client a user name and password; a dump with the HTTP headers in front shows what it sent.",
    ),
    Reason.BASIC_MALFORMED: (
        "its Authorization header is not one of HTTP Basic",
        "Basic, then name:password in UTF-8 and Base64, in one header.",
    ),
    Reason.USER_UNKNOWN: (
        "the user is not in the user store",
        "Compare the name with the user store: wsprovider users list; wsprovider users add NAME",
    ),
    Reason.PASSWORD_WRONG: (
        "the password is wrong",
        "A digest can only be checked where the store holds the clear password.",
    ),
    Reason.USER_DISABLED: ("the user is disabled", "See the user store."),
    Reason.ROLE_MISSING: (
        "the caller has none of the roles that the service wants",
        "Give the user or partner a role, or see roles in service.toml.",
    ),
    Reason.PARTNER_UNKNOWN: (
        "the caller is none of the partners, and the endpoint serves nobody else",
        "Name the certificate, user or ticket in keys/partners.toml: wsprovider partners shows who is known by what.",
    ),
    Reason.PARTNER_SERVICE: (
        "the partner may not call this service",
        "See services of that partner in keys/partners.toml.",
    ),
    Reason.PARTNER_OPERATION: (
        "the partner may not call this operation",
        "See operations of that partner in keys/partners.toml.",
    ),
    Reason.TIMESTAMP_MISSING: ("it has no Timestamp", "The policy says IncludeTimestamp: " + _SIGNED),
    Reason.TIMESTAMP_EXPIRED: (
        "it is too old by the clock used here",
        "For a message of the past, --at message sets the clock to its own Timestamp; else compare the clocks of client and server.",
    ),
    Reason.TIMESTAMP_FUTURE: (
        "it comes from the future by the clock used here",
        "Compare the clocks of client and server; --at sets the one used here.",
    ),
    Reason.TIMESTAMP_NOT_SIGNED: ("its Timestamp is not signed", _SIGNED),
    Reason.REPLAY: (
        "it was accepted before, or is a reply of ours",
        "Have the client make a new message for each call.",
    ),
    Reason.SIGNATURE_MISSING: ("it has no signature that holds", _SIGNED),
    Reason.SIGNATURE_UNEXPECTED: (
        "it has a signature that the policy does not call for",
        "Have the client leave it out.",
    ),
    Reason.ENCRYPTION_UNEXPECTED: (
        "something is encrypted that the policy does not want encrypted",
        "Compare the client's policy with ours.",
    ),
    Reason.BODY_NOT_SIGNED: ("its Body is not signed", _SIGNED),
    Reason.BODY_NOT_ENCRYPTED: ("its Body is not encrypted", _ENCRYPTED),
    Reason.HEADER_NOT_SIGNED: ("a header is not signed", _SIGNED),
    Reason.HEADER_NOT_ENCRYPTED: ("a header is not encrypted", _ENCRYPTED),
    Reason.TOKEN_MISSING: (
        "a token that the policy wants is missing",
        "Give the client a user name and password, or a key that endorses.",
    ),
    Reason.TOKEN_UNEXPECTED: (
        "it has a token that the policy does not call for",
        "Have the client leave it out.",
    ),
    Reason.TOKEN_NOT_SIGNED: ("a token is not signed", _SIGNED),
    Reason.TOKEN_NOT_ENCRYPTED: ("a token is not encrypted", _ENCRYPTED),
    Reason.PROTECTION_KEY: (
        "not one key protects it all",
        "Compare the client's policy with ours; was a part taken from another message?",
    ),
    Reason.TRANSPORT: (
        "it did not come by TLS",
        "Use the https address; here, --tls says that it came by TLS.",
    ),
    Reason.CLIENT_CERTIFICATE_MISSING: (
        "no TLS client certificate came with it",
        "Here, --tls-client names the one that it came with.",
    ),
    Reason.CONTEXT_UNKNOWN: (
        "its security context is not known (any more)",
        "The client has to open another one. Contexts are looked up in the shared store: explain a message while its context lives.",
    ),
    Reason.CONTEXT_ENDPOINT: ("its security context belongs to another endpoint", "Is --path right?"),
    Reason.TICKET_EXPIRED: (
        "its Kerberos ticket is not valid at the clock used here",
        "For a message of the past, --at message sets the clock.",
    ),
    Reason.TICKET_SKEW: (
        "its Kerberos authenticator is too old by the clock used here",
        "For a message of the past, --at message sets the clock.",
    ),
    Reason.TICKET_SERVICE: (
        "its Kerberos ticket is for another service, or for an old key",
        "Compare the principal, and the version of its key in the keytab (klist -k).",
    ),
    Reason.SIGNATURE_CONFIRMATION: (
        "it does not confirm the request's signatures",
        "Is --request the request that it answers?",
    ),
    Reason.CROSSCHECK: ("the two engines disagree", "Report it: the message and both engines' answers."),
}


def meaning(reason: Reason) -> str:
    """What a Reason says, to go on behind a colon."""
    found = _MEANINGS.get(reason)
    return reason.name.lower().replace("_", " ") if found is None else found[0]


def advice(reason: Reason, wanted: MessageRequirements | None) -> Iterator[str]:
    """What to do about a refusal.

    Args:
        wanted: what the closest alternative demands.
    """
    found = _MEANINGS.get(reason)
    yield f"See {reason.source}." if found is None else found[1]
    if reason is Reason.ALGORITHM_NOT_IN_SUITE and wanted is not None:
        suite = wanted.suite
        transports = [
            " ".join(filter(None, (one.method, one.digest, one.mgf))) for one in suite.key_transports
        ]
        for what, methods in (
            ("signatures by certificate", suite.asymmetric_signatures),
            ("signatures by shared key", suite.symmetric_signatures),
            ("digests", suite.digests),
            ("encryption", suite.encryptions),
            ("keys to certificates", transports),
        ):
            yield shown(f"{suite.name} allows for {what}: {', '.join(methods)}", 1_000)
