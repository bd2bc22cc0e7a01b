"""Making signatures: who signs, by which method, and how the key is named."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wsprovider.crypto.algorithms import (
    DIGESTS,
    fitting_signature,
    sign_asymmetric,
    sign_symmetric,
)
from wsprovider.header import kerberos_token, security_context_token, signature
from wsprovider.header import token_reference as str_
from wsprovider.keyring.contexts import ContextKey
from wsprovider.keyring.material import KeyPair
from wsprovider.outbound import keys as out_keys
from wsprovider.outbound.keys import Secret
from wsprovider.outbound.message import TicketSecret
from wsprovider.outbound.plan import Naming
from wsprovider.words import uris
from wsprovider.words.errors import ConfigurationError, Problem
from wsprovider.words.suites import Suite

Target = tuple[str, bytes, str]
"""What is signed: its id, its canonical bytes, and the content of the Reference's Transforms."""
NewId = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signs.

    Attributes:
        sign: makes the value of a SignedInfo.
        reference: the SecurityTokenReference that names the key.
        target: the token behind that reference as something that can be signed; None where the other
            side is meant to have it already.
        token: that token, where it has to be put into the header for this signature.
    """

    method: str
    sign: Callable[[bytes], bytes]
    reference: str
    target: Target | None = None
    token: bytes = b""


def make_signature(
    identifier: str, targets: Sequence[Target], digest_method: str, signer: Signer
) -> tuple[bytes, bytes]:
    """The Signature element in exclusive canonical form, and its value."""
    digest = DIGESTS[digest_method].digest
    digests = [(target, digest(data), transform) for target, data, transform in targets]
    info = signature.write_signed_info(signer.method, digest_method, digests)
    value = signer.sign(info)
    return signature.write(identifier, info, value, signer.reference), value


def secret_signer(secret: Secret, suite: Suite, asked: str | None) -> Signer:
    """A secret signs (symmetric binding).

    Args:
        asked: the method to use if the suite has it.
    """
    methods = suite.symmetric_signatures
    method = asked if asked in methods else methods[0]
    target = None
    if secret.token_id is not None:
        target = (secret.token_id, secret.token, signature.C14N_TRANSFORM)
    return Signer(
        method, lambda octets: sign_symmetric(method, secret.secret, octets), secret.reference, target
    )


def pair_signer(
    pair: KeyPair, suite: Suite, asked: str | None, naming: Naming, new_id: NewId, *, protect: bool
) -> Signer:
    """A private key signs.

    Args:
        asked: the method to use if the suite has it and it fits the key.
        naming: of the certificate.
        protect: the signature will cover the certificate.

    Raises:
        ConfigurationError: the suite has no method for this kind of key.
    """
    methods = suite.asymmetric_signatures
    preferred = (asked, *methods) if asked is not None and asked in methods else methods
    method = fitting_signature(pair.private_key, preferred)
    if method is None:
        raise ConfigurationError([Problem(f"key {pair.name}", f"suite {suite.name} has no method for it")])

    def sign(octets: bytes) -> bytes:
        return sign_asymmetric(method, pair.private_key, octets)

    if naming is Naming.ENCLOSED:
        identifier = new_id("X509")
        token = out_keys.enclosed_token(pair.certificate, identifier)
        reference = out_keys.certificate_reference(pair.certificate, naming, identifier)
        return Signer(method, sign, reference, (identifier, token, signature.C14N_TRANSFORM), token)
    reference = out_keys.certificate_reference(pair.certificate, naming)
    if not protect:
        return Signer(method, sign, reference)
    identifier = new_id("STR")
    value = str_.dereferenced(pair.certificate)
    return Signer(
        method, sign, str_.with_id(reference, identifier), (identifier, value, signature.STR_TRANSFORM)
    )


def ticket_secret(ticket: TicketSecret, identifier: str) -> Secret:
    """The key of a Kerberos ticket: by the token in the same message, or by its hash.

    Kerberos Token Profile 1.1, section 3.3.
    """
    if ticket.token is None:
        return Secret(ticket.secret, str_.write_key_identifier(uris.KERBEROS_AP_REQ_SHA1, ticket.sha1))
    token = kerberos_token.write(identifier, ticket.token)
    reference = str_.write_local(identifier, uris.KERBEROS_GSS_AP_REQ)
    return Secret(ticket.secret, reference, token, identifier)


def context_secret(context: ContextKey, identifier: str) -> Secret:
    """The key of a security context, named by the token of it that stands in the same message."""
    token = security_context_token.write(identifier, context.namespace, context.identifier, context.instance)
    # Eclipse Metro goes by the reference's Instance, not by the token's
    reference = str_.write_context(
        f"#{identifier}",
        f"{context.namespace}/sct",
        instance=context.instance,
        namespace=context.namespace,
    )
    return Secret(context.secret, reference, token, identifier)
