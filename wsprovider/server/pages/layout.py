"""What one protected message holds, row by row, and who signs and encrypts which: from the requirements alone.

The picture is drawn from these values, and its description for those who do not see it is written from them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from wsprovider.policy.model import HeaderPart, Inclusion, Layout, Password, X509Token
from wsprovider.policy.requirements import KeySource, MessageRequirements, Protection, source_of

_MOST_HEADERS = 6
_TO_SERVICE = frozenset({Inclusion.ONCE, Inclusion.ALWAYS_TO_RECIPIENT, Inclusion.ALWAYS})
_TO_CLIENT = frozenset({Inclusion.ALWAYS_TO_INITIATOR, Inclusion.ALWAYS})


@dataclass(frozen=True, slots=True)
class Row:
    """A piece of a message.

    Attributes:
        name: the element's, or what it is.
        note: what it is for; empty where the name says all.
        signed: numbers of the signatures that cover it, from 1 on.
        encrypted: whether it is encrypted.
        security: it stands in the Security header.
    """

    name: str
    note: str = ""
    signed: tuple[int, ...] = ()
    encrypted: bool = False
    security: bool = True


@dataclass(frozen=True, slots=True)
class Outline:
    """A message.

    Attributes:
        rows: of the header, in their order.
        signatures: by what key each signature is made; the first has number 1.
        encryption: by what key is encrypted, if anything is.
        order: what is done first, where both is done.
        tls: the transport protects all of it.
    """

    request: bool
    rows: tuple[Row, ...]
    body: Row
    signatures: tuple[str, ...]
    encryption: str | None
    order: str | None
    tls: bool


def outline(wanted: MessageRequirements, content: str) -> Outline:
    """Lay out one message.

    Args:
        wanted: what it must show.
        content: what its Body is.
    """
    tls = wanted.protection is Protection.TRANSPORT
    message = (1,) if wanted.has_signature else ()
    rows = [*_headers(wanted, message), *_security(wanted, message)]
    signatures = [_signing_key(wanted)] if wanted.has_signature else []
    signatures += [_endorsing_key(wanted)] if wanted.endorsing else []
    order = None
    if wanted.has_signature and wanted.has_encryption:
        first = (
            "First encrypted, then signed"
            if wanted.encrypt_before_signing
            else "First signed, then encrypted"
        )
        order = first
    body = Row("Body", content, message if wanted.signed.body else (), wanted.encrypted.body, security=False)
    encryption = _encrypting_key(wanted) if wanted.has_encryption else None
    return Outline(wanted.request, tuple(rows), body, tuple(signatures), encryption, order, tls)


def described(drawn: Outline) -> str:
    """The same in sentences."""
    parts = []
    for row in (*drawn.rows, drawn.body):
        marks = [f"signed ({', '.join(map(str, row.signed))})"] if row.signed else []
        marks += ["encrypted"] if row.encrypted else []
        parts.append(f"{row.name}{': ' if marks else ''}{' and '.join(marks)}")
    told = [*(f"Signature {number}: {key}" for number, key in enumerate(drawn.signatures, 1))]
    told += [drawn.encryption] if drawn.encryption else []
    told += [drawn.order] if drawn.order else []
    told += ["TLS protects the whole message"] if drawn.tls else []
    return ". ".join(["; ".join(parts), *told]) + "."


def enclosed(wanted: MessageRequirements, inclusion: Inclusion) -> bool:
    """Whether a token stands in the message itself (WS-SecurityPolicy 1.2, section 5.1.1)."""
    return inclusion in (_TO_SERVICE if wanted.request else _TO_CLIENT)


def _headers(wanted: MessageRequirements, message: tuple[int, ...]) -> Iterator[Row]:
    """Header blocks that the policy names, beside Security."""
    named: dict[HeaderPart, None] = dict.fromkeys(
        (*wanted.required_headers, *wanted.signed.headers, *wanted.encrypted.headers)
    )
    for part in [*named][:_MOST_HEADERS]:
        tag = f"{{{part.namespace}}}{part.name or '*'}"
        yield Row(
            _short(part.name or f"all of {part.namespace}"),
            "must be there" if part in wanted.required_headers else "if it is there",
            message if wanted.signed.all_headers or part in wanted.signed.headers else (),
            wanted.encrypted.wants(tag) or part in wanted.encrypted.headers,
            security=False,
        )
    if len(named) > _MOST_HEADERS:
        yield Row(f"{len(named) - _MOST_HEADERS} more headers", "named in the WSDL", security=False)
    if wanted.signed.all_headers or wanted.encrypted.all_headers:
        signed = message if wanted.signed.all_headers else ()
        name = "All other headers" if named else "All headers"
        yield Row(name, "if there are any", signed, wanted.encrypted.all_headers, security=False)


def _security(wanted: MessageRequirements, message: tuple[int, ...]) -> Iterator[Row]:
    endorsing = 2 if wanted.has_signature else 1
    over_time = (endorsing,) if wanted.endorsing and not message else ()
    stamp = [Row("Timestamp", "when it was made", message or over_time)] if wanted.timestamp else []
    if wanted.layout is not Layout.LAX_TIMESTAMP_LAST:
        yield from stamp
    yield from _key_rows(wanted, message)
    for username in wanted.usernames:
        digest = username.token.password is Password.HASH
        signed = message if username.signed else ()
        note = "name and password digest" if digest else "name and password"
        yield Row("UsernameToken", note, signed, username.encrypted and bool(message))
    for one in wanted.endorsing:
        if enclosed(wanted, one.token.inclusion):
            what = ("BinarySecurityToken", "the client's certificate")
            if source_of(one.token) is KeySource.TICKET:
                what = ("BinarySecurityToken", "a Kerberos ticket")
            yield Row(*what, message if one.signed else (), one.encrypted and bool(message))
    if wanted.confirmation and message:
        yield Row("SignatureConfirmation", "of the request's signature", message, wanted.encrypt_signature)
    if message:
        over = (endorsing,) if wanted.endorsing else ()
        yield Row("Signature 1", "of the message", over, wanted.encrypt_signature)
    if wanted.endorsing:
        note = "endorses signature 1" if message else "endorses the Timestamp"
        yield Row(f"Signature {endorsing}", note, (), wanted.encrypt_signature and bool(message))
    if wanted.layout is Layout.LAX_TIMESTAMP_LAST:
        yield from stamp


def _key_rows(wanted: MessageRequirements, message: tuple[int, ...]) -> Iterator[Row]:
    """The tokens and keys of the binding itself."""
    covered = message if wanted.protect_tokens else ()
    token = wanted.signature_token
    if wanted.protection is Protection.ASYMMETRIC:
        if message and token is not None and enclosed(wanted, token.inclusion):
            whose = "the client's" if wanted.request else "the service's"
            yield Row("BinarySecurityToken", f"{whose} certificate", covered)
        if wanted.has_encryption:
            yield Row("EncryptedKey", f"a key, for the {'service' if wanted.request else 'client'} alone")
    elif wanted.protection is Protection.SYMMETRIC and token is not None:
        if wanted.key_source is KeySource.ENCRYPTED_KEY and wanted.request:
            yield Row("EncryptedKey", "a secret, for the service alone", covered)
        elif wanted.key_source is KeySource.CONTEXT and enclosed(wanted, token.inclusion):
            yield Row("SecurityContextToken", "names the conversation", covered)
        elif wanted.key_source is KeySource.TICKET and enclosed(wanted, token.inclusion):
            yield Row("BinarySecurityToken", "a Kerberos ticket for the service", covered)
        if wanted.signature_derived and not wanted.implied_keys:
            yield Row("DerivedKeyTokens", "made from the secret")


def _signing_key(wanted: MessageRequirements) -> str:
    if wanted.protection is Protection.ASYMMETRIC:
        whose = "client" if wanted.request else "service"
        token = wanted.signature_token
        where = "stands in the message"
        if not isinstance(token, X509Token) or not enclosed(wanted, token.inclusion):
            where = f"is known already, only named{', and signed, too' if wanted.protect_tokens else ''}"
        return f"with the {whose}'s private key; its certificate {where}"
    derived = "a key derived from " if wanted.signature_derived else ""
    return f"with {derived}{_secret(wanted)}"


def _encrypting_key(wanted: MessageRequirements) -> str:
    if wanted.protection is Protection.ASYMMETRIC:
        whose = "service" if wanted.request else "client"
        return f"Encrypted with a new key that only the {whose}'s private key can open"
    derived = "a key derived from " if wanted.encryption_derived else ""
    return f"Encrypted with {derived}{_secret(wanted)}"


def _secret(wanted: MessageRequirements) -> str:
    """The secret of a symmetric binding, which both sides hold."""
    match wanted.key_source, wanted.request:
        case KeySource.CONTEXT, _:
            return "the conversation's key"
        case KeySource.TICKET, _:
            return "the key of the Kerberos ticket"
        case _, True:
            return "the new secret, which only the service's private key can open"
    return "the secret that the request has brought"


def _endorsing_key(wanted: MessageRequirements) -> str:
    if source_of(wanted.endorsing[0].token) is KeySource.TICKET:
        return "with the key of the client's Kerberos ticket"
    return "with the client's private key"


def _short(text: str, most: int = 24) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}\N{HORIZONTAL ELLIPSIS}"
