"""A policy in plain sentences, made from its requirements: for those who do not read WS-SecurityPolicy."""

from collections.abc import Iterator
from dataclasses import dataclass

from wsprovider.policy.model import Password
from wsprovider.policy.requirements import (
    ConversationRequirements,
    KeySource,
    MessageRequirements,
    Protection,
    Requirements,
    source_of,
)
from wsprovider.policy.words import LAYOUTS


@dataclass(frozen=True, slots=True)
class Section:
    """A part of what there is to say.

    Attributes:
        heading: empty where there is but one part.
        shown: the messages that it is about.
        opens: they open a conversation.
    """

    heading: str
    sentences: tuple[str, ...]
    shown: Requirements | None = None
    opens: bool = False


def sections(wanted: Requirements) -> Iterator[Section]:
    """One alternative of a policy, most important things first."""
    protected = (*_parts(wanted), *_details(wanted))
    if wanted.conversation is None:
        yield Section("", (*_caller(wanted), _service(wanted.request), *protected), wanted)
        return
    yield Section("", tuple(_conversation(wanted.conversation)))
    for one in wanted.conversation.bootstrap:
        told = (*_caller(one), _service(one.request), *_parts(one), *_details(one))
        yield Section("Opening a conversation", told, one, opens=True)
    yield Section("Each call in it", protected, wanted)


def _details(wanted: Requirements) -> Iterator[str]:
    request, reply = wanted.request, wanted.reply
    if request.has_signature and request.has_encryption:
        yield (
            "What is encrypted is encrypted first, and the signature covers the result."
            if request.encrypt_before_signing
            else "Messages are signed first, then encrypted."
        )
    if request.encrypt_signature:
        yield "Signatures are encrypted as well."
    if request.protect_tokens:
        yield "A signature covers the token that its key belongs to."
    if request.signature_derived:
        yield "Each message derives keys of its own from the secret, and uses those."
    if request.timestamp:
        yield "Each message says when it was made, and an old one is refused."
    if reply.confirmation:
        yield "The reply repeats the request's signatures (SignatureConfirmation), so it answers that very request."
    if request.layout in LAYOUTS:
        yield f"{LAYOUTS[request.layout]}."


def summary(ways: tuple[Requirements, ...]) -> str:
    """Who calls and what is protected, in one line."""
    first = ways[0]
    opening = first.conversation.bootstrap[0] if first.conversation is not None else first
    who = {
        "": "anonymous callers",
        "password": "callers with user names",
        "certificate": "callers with certificates",
        "ticket": "callers with Kerberos tickets",
    }[", ".join(proofs(opening)[:1])]
    request = first.request
    what = []
    if request.protection is Protection.TRANSPORT:
        what.append("over TLS")
    what += ["signed"] if request.signed.body or request.signed.all_headers else []
    what += ["encrypted"] if request.encrypted.body else []
    how = " and ".join(what) or "stamped"
    inside = " in a conversation" if first.conversation is not None else ""
    return f"{how[0].upper()}{how[1:]}{inside}, {who}"


def proofs(wanted: Requirements) -> list[str]:
    """How a caller shows who it is: ``password``, ``certificate``, ``ticket``; none: anonymous."""
    request = wanted.request
    found = ["password"] if request.usernames else []
    by_certificate = request.protection is Protection.ASYMMETRIC and request.has_signature
    endorsed = {source_of(one.token) for one in request.endorsing}
    if by_certificate or wanted.client_certificate or KeySource.ENCRYPTED_KEY in endorsed:
        found.append("certificate")
    symmetric = request.protection is Protection.SYMMETRIC
    if KeySource.TICKET in endorsed or (symmetric and request.key_source is KeySource.TICKET):
        found.append("ticket")
    return found


def algorithms(wanted: Requirements) -> dict[str, str]:
    """What the methods of the suite are called, as far as messages need them."""
    opening = () if wanted.conversation is None else wanted.conversation.bootstrap
    told: dict[str, str] = {}
    for one in (*opening, wanted):
        told |= dict(_methods(one.request))
    return told


def _methods(wanted: MessageRequirements) -> Iterator[tuple[str, str]]:
    suite = wanted.suite
    symmetric = wanted.protection is Protection.SYMMETRIC
    brought = wanted.protection is not Protection.TRANSPORT and wanted.key_source is KeySource.ENCRYPTED_KEY
    if wanted.has_signature or wanted.endorsing:
        if wanted.protection is Protection.ASYMMETRIC or wanted.endorsing:
            yield "Signature by a private key", _method(suite.asymmetric_signatures[0])
        if symmetric:
            yield "Signature by a secret", _method(suite.symmetric_signatures[0])
        yield "Digest", _method(suite.digests[0])
    if wanted.has_encryption:
        yield "Encryption", _method(suite.encryptions[0])
    if brought and (wanted.has_encryption or symmetric):
        yield "Key transport", _method(suite.key_transports[0].method)


def _conversation(wanted: ConversationRequirements) -> Iterator[str]:
    yield (
        "Calls belong to a conversation: the client first asks for a security context, whose key then protects "
        "all calls, and no certificate is needed for each of them."
    )
    if wanted.client_entropy or wanted.server_entropy:
        both = wanted.client_entropy and wanted.server_entropy
        who = (
            "Both sides contribute"
            if both
            else "The client contributes"
            if wanted.client_entropy
            else "The service contributes"
        )
        yield f"{who} to that key, which has {wanted.bits} bits."
    may = [*(["renew"] if wanted.renew else []), *(["cancel"] if wanted.cancel else [])]
    if may:
        yield f"The client may {' and '.join(may)} the context."
    yield "Messages of a conversation need WS-Addressing."


def _caller(wanted: Requirements) -> Iterator[str]:
    request = wanted.request
    found = proofs(wanted)
    if not found:
        yield "Callers are anonymous: nobody is asked who they are."
    for one in request.usernames:
        digest = one.token.password is Password.HASH
        how = "a digest of the password" if digest else "a password"
        yield f"The caller sends a user name and {how} (UsernameToken)."
        if not digest and not one.encrypted and request.protection is not Protection.TRANSPORT:
            yield "The policy does not hide that password: encrypt the token all the same, or go over TLS."
    if wanted.client_certificate:
        yield "The caller shows a certificate when the TLS connection is opened."
    if request.protection is Protection.ASYMMETRIC and request.has_signature:
        yield "The caller has a certificate, and signs the request with its private key."
    for endorsing in request.endorsing:
        over = "the message's signature" if request.has_signature else "the Timestamp"
        key = "a Kerberos ticket" if source_of(endorsing.token) is KeySource.TICKET else "a certificate"
        yield f"The caller has {key}, whose key signs {over} (endorsing token)."
    if request.protection is Protection.SYMMETRIC and request.key_source is KeySource.TICKET:
        yield "The caller has a Kerberos ticket for the service, whose key protects request and reply."


def _service(request: MessageRequirements) -> str:
    """By what a client knows the service."""
    if request.protection is Protection.TRANSPORT:
        return "The service is known by the certificate of its TLS connection, which the client has to check."
    if request.protection is Protection.ASYMMETRIC:
        return "The service signs its replies with its private key, whose certificate the client has to know."
    if request.key_source is KeySource.TICKET:
        return "The service is known by its Kerberos key: nobody else can use the ticket."
    return (
        "The client makes a secret for each request, which only the service's private key can open: a reply under "
        "that secret comes from the service."
    )


def _parts(wanted: Requirements) -> Iterator[str]:
    """What is protected, and what that leaves open."""
    request, reply = wanted.request, wanted.reply
    if request.protection is Protection.TRANSPORT:
        yield "TLS protects messages on their way; the messages themselves are neither signed nor encrypted for it."
        return
    done, answered = _done(request), _done(reply)
    if done == answered:
        yield f"The Bodies of request and reply are {done}."
    else:
        yield f"The Body of the request is {done}, that of the reply is {answered}."
    if not request.encrypted.body:
        yield "Whoever listens on the way can read them, unless TLS is used besides."
    elif not request.signed.body:
        yield (
            "Their cipher has no integrity of its own, so a change on the way need not be noticed."
            if request.suite.malleable
            else "They are not signed: their cipher, AES-GCM, tells a change on the way by itself."
        )
    if request.has_signature and not request.signed.body:
        yield "What is signed is the Timestamp and what the picture shows, not the Body."


def _done(message: MessageRequirements) -> str:
    """What is done to a Body."""
    done = ["signed"] if message.signed.body else []
    done += ["encrypted"] if message.encrypted.body else []
    return " and ".join(done) or "neither signed nor encrypted"


def _method(uri: str) -> str:
    """The last part of an algorithm's identifier, which is its name."""
    return uri.rpartition("#")[2] or uri
