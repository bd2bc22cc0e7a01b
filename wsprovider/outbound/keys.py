"""The keys of one outgoing message, and the references that name them."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import rsa

from wsprovider.crypto.ciphers import CIPHERS, wrap_key
from wsprovider.crypto.derivation import DEFAULT_LABEL, p_sha1
from wsprovider.header import binary_security_token, derived_key_token, encrypted_key
from wsprovider.header import token_reference as str_
from wsprovider.keyring.material import Certificate
from wsprovider.outbound.message import Outgoing
from wsprovider.outbound.plan import Naming
from wsprovider.ports import Entropy
from wsprovider.words import namespaces as ns
from wsprovider.words import uris
from wsprovider.words.errors import ConfigurationError, Problem
from wsprovider.words.suites import KeyTransport, Suite

_NONCE_BYTES = 16
_SHORT_KEY_BYTES = 16


@dataclass(slots=True)
class Secret:
    """A secret that signs or encrypts, and the reference that names it.

    Attributes:
        reference: the SecurityTokenReference.
        token: the token in the header that a signature by this key can cover, if any, and its id.
    """

    secret: bytes = field(repr=False)
    reference: str
    token: bytes = b""
    token_id: str | None = None


@dataclass(slots=True)
class Transported:
    """A new secret in an EncryptedKey; written late, because its ReferenceList comes last."""

    identifier: str
    transport: KeyTransport
    certificate_reference: str
    octets: bytes
    secret: bytes = field(repr=False)

    def write(self, reference_list: str = "") -> bytes:
        """The EncryptedKey element."""
        return encrypted_key.write(
            self.identifier,
            self.transport,
            self.certificate_reference,
            self.octets,
            reference_list,
        )

    @property
    def sha1(self) -> bytes:
        """EncryptedKeySHA1."""
        return encrypted_key.sha1_of(self.octets)


def transport_secret(
    outgoing: Outgoing,
    identifier: str,
    length: int,
    transport: KeyTransport,
    naming: Naming,
    entropy: Entropy,
) -> Transported:
    """Make a secret and encrypt it to the receiver's certificate.

    Args:
        length: of the secret, in bytes.

    Raises:
        ConfigurationError: there is no certificate to encrypt to, or its key is not RSA.
    """
    certificate = outgoing.encrypt_to
    if certificate is None or not isinstance(certificate.public_key, rsa.RSAPublicKey):
        raise ConfigurationError([Problem("encryption", "no RSA certificate to encrypt to")])
    secret = entropy(length)
    octets = wrap_key(transport, certificate.public_key, secret)
    return Transported(identifier, transport, certificate_reference(certificate, naming), octets, secret)


def certificate_reference(certificate: Certificate, naming: Naming, enclosed: str = "") -> str:
    """The SecurityTokenReference for a certificate.

    Args:
        enclosed: id of the BinarySecurityToken, for ``Naming.ENCLOSED``.
    """
    if naming is Naming.ENCLOSED:
        return str_.write_local(enclosed, uris.X509_V3)
    identifier = certificate.subject_key_identifier
    if naming is Naming.KEY_IDENTIFIER and identifier is not None:
        return str_.write_key_identifier(uris.SUBJECT_KEY_IDENTIFIER, identifier)
    if naming is Naming.THUMBPRINT:
        return str_.write_key_identifier(uris.THUMBPRINT_SHA1, certificate.thumbprint_sha1)
    return str_.write_issuer_serial(certificate)


def enclosed_token(certificate: Certificate, identifier: str) -> bytes:
    """The BinarySecurityToken for a certificate that signs."""
    return binary_security_token.write(identifier, certificate)


def check_length(secret: bytes, method: str, suite: Suite) -> None:
    """A ticket's key is as long as its encryption type has it, whatever the suite wants.

    Raises:
        ConfigurationError: the cipher takes no key of that length.
    """
    row = CIPHERS[method]
    short = suite.short_symmetric_keys and not row.authenticated and len(secret) == _SHORT_KEY_BYTES
    if len(secret) != row.key_bytes and not short:
        what = f"the ticket's key has {len(secret)} bytes, which {method} does not take"
        raise ConfigurationError([Problem("kerberos", what)])


def derive(
    base: bytes,
    base_reference: str,
    identifier: str,
    length: int,
    namespace: str | None,
    entropy: Entropy,
) -> Secret:
    """Derive a key from a secret, with a DerivedKeyToken that says how.

    Args:
        length: in bytes.
        namespace: of WS-SecureConversation; None for 200512.
    """
    version = namespace or ns.WSC_200512
    nonce = entropy(_NONCE_BYTES)
    secret = p_sha1(base, DEFAULT_LABEL + nonce, length)
    token = derived_key_token.write(identifier, version, base_reference, length, nonce)
    reference = str_.write_local(identifier, derived_key_token.TOKEN_TYPES[version])
    return Secret(secret, reference, token, identifier)


def derive_implied(base: Secret, length: int, namespace: str | None, entropy: Entropy) -> Secret:
    """Derive a key from a secret; the reference to it says how (WS-SecureConversation 1.3, section 8).

    Args:
        length: in bytes.
        namespace: of WS-SecureConversation; None for 200512.
    """
    version = namespace or ns.WSC_200512
    nonce = entropy(_NONCE_BYTES)
    secret = p_sha1(base.secret, DEFAULT_LABEL + nonce, length)
    reference = str_.with_implied(base.reference, version, nonce, length)
    return Secret(secret, reference, base.token, base.token_id)
