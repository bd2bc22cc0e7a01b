"""Resolving what a reference names to a key, by need, once each, and without following chains.

Keys come from the message (EncryptedKey, DerivedKeyToken, BinarySecurityToken), from the ring and
from trust. A reference that names two different keys is refused; two certificates of one key are one
answer (a renewal).
"""

from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from wsprovider.crypto.ciphers import unwrap_key
from wsprovider.crypto.derivation import DEFAULT_LABEL, p_sha1
from wsprovider.header.encrypted_key import EncryptedKey
from wsprovider.header.kerberos_token import KerberosToken
from wsprovider.header.security_context_token import SecurityContextToken
from wsprovider.header.token_reference import (
    ContextReference,
    EncryptedKeyReference,
    LocalReference,
    TicketReference,
    TokenReference,
)
from wsprovider.inbound.candidates import Candidates
from wsprovider.inbound.context import Context
from wsprovider.inbound.evidence import IMPLIED, CertificateKey, KeyRoot, MessageKey, SecretKey
from wsprovider.keyring.index import CertificateIndex
from wsprovider.keyring.material import (
    Certificate,
    CertificateReference,
    EmbeddedCertificate,
    KeyPair,
)
from wsprovider.keyring.tickets import ticket_sha1
from wsprovider.words.errors import SoapError, SoapFault, WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.words.trust import BY_TOKEN_TYPE
from wsprovider.xml.ids import Ids


class Keys:
    """The keys of one message; lives as long as its examination."""

    def __init__(self, candidates: Candidates, context: Context) -> None:
        self._candidates = candidates
        self.context = context
        self._security: etree._Element | None = None
        self._ids: Ids = {}
        self.roots: dict[int, KeyRoot] = {}
        self._established: dict[bytes, KeyRoot] = {}
        self._contexts: dict[str, KeyRoot] = {}
        self._tickets: dict[bytes, KeyRoot] = {}
        self._derived: dict[int, SecretKey] = {}
        self.used: set[int] = set()

    def look_in(self, security: etree._Element, ids: Ids) -> None:
        """Resolve local references in this tree from now on."""
        self._security, self._ids = security, ids

    def for_signature(self, reference: TokenReference) -> MessageKey:
        """The key that a Signature's KeyInfo names.

        Raises:
            WSSecurityError: UNRESOLVED_REFERENCE, AMBIGUOUS_KEY, UNSUPPORTED_REFERENCE, or what
                trust or key transport says.
        """
        named = reference.key
        if isinstance(named, LocalReference):
            index = self._index(named)
            token = self._candidates.certificates.get(index)
            if token is not None and reference.implied is None:
                self.used.add(index)
                return self._trusted(token.certificate, index)
        elif not isinstance(named, EncryptedKeyReference | ContextReference | TicketReference):
            if reference.implied is not None:
                raise WSSecurityError(Reason.DERIVATION_SOURCE, "a certificate is no secret")
            return self._certificate(named)
        return self._secret(reference)

    def for_decryption(self, reference: TokenReference) -> SecretKey:
        """The key that an EncryptedData's KeyInfo names.

        Raises:
            WSSecurityError: as :meth:`for_signature`; UNSUPPORTED_REFERENCE for a certificate.
        """
        return self._secret(reference)

    def of_encrypted_key(self, index: int) -> SecretKey:
        """The key that the EncryptedKey at an index carries.

        Raises:
            WSSecurityError: as :meth:`for_signature`.
        """
        return self._secret_at(index)

    def _secret(self, reference: TokenReference) -> SecretKey:
        named = reference.key
        if isinstance(named, LocalReference):
            key = self._secret_at(self._index(named))
        elif isinstance(named, EncryptedKeyReference):
            key = self._established_secret(named)
        elif isinstance(named, ContextReference):
            key = self._context_named(named)
        elif isinstance(named, TicketReference):
            key = self._ticket_named(named)
        else:
            raise WSSecurityError(Reason.UNSUPPORTED_REFERENCE, "data encrypted to a certificate")
        implied = reference.implied
        if implied is None:
            return key
        if key.derived is not None:
            raise WSSecurityError(Reason.DERIVATION_SOURCE, "a derived key")
        _same_version(key.root, implied.namespace)
        secret = p_sha1(key.secret, DEFAULT_LABEL + implied.nonce, implied.length)
        return SecretKey(secret, key.root, IMPLIED, implied.namespace)

    def _index(self, reference: LocalReference) -> int:
        element = self._ids.get(reference.id)
        security = self._security
        if element is None or security is None or element.getparent() is not security:
            raise WSSecurityError(Reason.UNRESOLVED_REFERENCE, reference.id)  # BSP R3066
        return security.index(element)

    def _secret_at(self, index: int) -> SecretKey:
        if index in self._derived:
            return self._derived[index]
        encrypted = self._candidates.encrypted_keys.get(index)
        if encrypted is not None:
            self.used.add(index)
            root = self._root(index, encrypted)
            return SecretKey(root.secret, root)
        context = self._candidates.contexts.get(index)
        if context is not None:
            self.used.add(index)
            return self._context_held(context)
        ticket = self._candidates.tickets.get(index)
        if ticket is not None:
            self.used.add(index)
            return self._ticket_held(ticket)
        if index in self._candidates.derived_keys:
            key = self._derived[index] = self._derive(index)
            self.used.add(index)
            return key
        raise WSSecurityError(Reason.UNSUPPORTED_REFERENCE, "not a key")

    def _root(self, index: int, encrypted: EncryptedKey) -> KeyRoot:
        known = self.roots.get(index)
        if known is not None:
            return known
        context = self.context
        if len(self._candidates.encrypted_keys) > 1:  # the judge would say so, after the work
            raise WSSecurityError(Reason.PROTECTION_KEY, "more than one EncryptedKey")
        if encrypted.transport not in context.gate.transports:
            raise WSSecurityError(Reason.ALGORITHM_NOT_IN_SUITE, encrypted.transport.method)
        unwrapped = context.unwrapped.get(encrypted.sha1)
        if unwrapped is not None:
            root = self.roots[index] = KeyRoot(unwrapped, encrypted.sha1, encrypted)
            return root
        pair = self._own_key(encrypted.key)
        if not isinstance(pair.private_key, rsa.RSAPrivateKey):
            raise WSSecurityError(Reason.KEY_KIND, encrypted.transport.method)
        context.unwrapping()
        secret = unwrap_key(
            encrypted.transport,
            pair.private_key,
            encrypted.octets,
            context.gate.secret_lengths,
            context.entropy,
        )
        root = self.roots[index] = KeyRoot(secret, encrypted.sha1, encrypted, pair)
        return root

    def _context_named(self, reference: ContextReference) -> SecretKey:
        """By the identifier alone; a token of the same context that stands in the header is used thereby."""
        version = None if reference.value_type is None else BY_TOKEN_TYPE.get(reference.value_type)
        root = self._context_root(reference.identifier, None if version is None else version.conversation)
        for index, token in self._candidates.contexts.items():
            if token.identifier == reference.identifier:
                self.used.add(index)
                _same_instance(root, token.instance)
        if reference.instance is not None:
            _same_instance(root, reference.instance)
        return SecretKey(root.secret, root)

    def _context_held(self, token: SecurityContextToken) -> SecretKey:
        root = self._context_root(token.identifier, token.namespace)
        _same_instance(root, token.instance)
        return SecretKey(root.secret, root)

    def _ticket_held(self, token: KerberosToken) -> SecretKey:
        sha1 = ticket_sha1(token.octets)
        root = self._tickets.get(sha1)
        if root is None:
            ticket = self.context.tickets.shown(token.octets)
            root = self._tickets[sha1] = KeyRoot(ticket.secret, sha1, ticket=ticket)
        return SecretKey(root.secret, root)

    def _ticket_named(self, reference: TicketReference) -> SecretKey:
        """By its hash; it is the ticket in this message if one there has it."""
        for index, token in self._candidates.tickets.items():
            if ticket_sha1(token.octets) == reference.sha1:
                self.used.add(index)
                return self._ticket_held(token)
        root = self._tickets.get(reference.sha1)
        if root is None:
            ticket = self.context.tickets.named(reference.sha1)
            root = self._tickets[reference.sha1] = KeyRoot(ticket.secret, reference.sha1, ticket=ticket)
        return SecretKey(root.secret, root)

    def _context_root(self, identifier: str, namespace: str | None) -> KeyRoot:
        root = self._contexts.get(identifier)
        if root is None:
            context = self.context.contexts(identifier, namespace)
            root = self._contexts[identifier] = KeyRoot(context.secret, context=context)
        return root

    def _own_key(self, reference: TokenReference) -> KeyPair:
        """Our key pair that an EncryptedKey is for."""
        named = reference.key
        if isinstance(named, LocalReference):
            index = self._index(named)
            token = self._candidates.certificates.get(index)
            if token is None:
                raise WSSecurityError(Reason.UNSUPPORTED_REFERENCE, "not a certificate")
            self.used.add(index)
            named = token.certificate
        if isinstance(named, EncryptedKeyReference | ContextReference | TicketReference):
            raise WSSecurityError(Reason.UNSUPPORTED_REFERENCE, "a key encrypted by a key")
        pairs = self.context.keys.decryption_keys(named, self.context.now)
        if not pairs:
            raise WSSecurityError(Reason.UNRESOLVED_REFERENCE, "no key of ours has that name")
        if len({pair.certificate.spki for pair in pairs}) > 1:
            raise WSSecurityError(Reason.AMBIGUOUS_KEY, "several keys of ours have that name")
        return pairs[0]

    def _derive(self, index: int) -> SecretKey:
        token = self._candidates.derived_keys[index]
        named = token.source.key
        if isinstance(named, LocalReference):
            source = self._index(named)
            candidates = self._candidates
            secrets = (candidates.encrypted_keys, candidates.contexts, candidates.tickets)
            if not any(source in found for found in secrets):
                raise WSSecurityError(Reason.DERIVATION_SOURCE, named.id)  # one level, from a secret only
            base = self._secret_at(source)
        elif isinstance(named, EncryptedKeyReference):
            base = self._established_secret(named)
        elif isinstance(named, ContextReference):
            base = self._context_named(named)
        elif isinstance(named, TicketReference):
            base = self._ticket_named(named)
        else:
            raise WSSecurityError(Reason.DERIVATION_SOURCE, "a certificate is no secret")
        if token.source.implied is not None:
            raise WSSecurityError(Reason.DERIVATION_SOURCE, "derived twice")
        _same_version(base.root, token.namespace)
        secret = p_sha1(base.secret, token.label + token.nonce, token.length, token.offset)
        return SecretKey(secret, base.root, index, token.namespace)

    def _established_secret(self, reference: EncryptedKeyReference) -> SecretKey:
        root = self._established.get(reference.sha1)
        if root is None:
            secret = self.context.established.get(reference.sha1)
            if secret is None:
                raise WSSecurityError(Reason.UNRESOLVED_REFERENCE, "EncryptedKeySHA1")
            root = self._established[reference.sha1] = KeyRoot(secret, reference.sha1)
        return SecretKey(root.secret, root)

    def _certificate(self, reference: CertificateReference) -> CertificateKey:
        if isinstance(reference, EmbeddedCertificate):
            return self._trusted(reference, None)
        enclosed = self._enclosed(reference)
        if enclosed is not None:
            return enclosed
        found = self.context.keys.named(reference, self.context.now)
        if not found:
            raise WSSecurityError(Reason.UNRESOLVED_REFERENCE, "no certificate has that name")
        if len({certificate.spki for certificate in found}) > 1:
            raise WSSecurityError(Reason.AMBIGUOUS_KEY, "several certificates have that name")
        refused: WSSecurityError | None = None
        for certificate in found:  # of one key: an expired and a renewed one, say
            try:
                return self._accepted(certificate, (), None)
            except WSSecurityError as error:
                refused = error
        raise refused or WSSecurityError(Reason.UNRESOLVED_REFERENCE)

    def _enclosed(self, reference: CertificateReference) -> CertificateKey | None:
        """The certificate in this message that the reference names, if there is one.

        Apache CXF sends the token that the policy wants included, and names it by the thumbprint that
        the policy wants as reference.
        """
        named = [
            (index, token.certificate)
            for index, token in self._candidates.certificates.items()
            if CertificateIndex((_parsed(token.certificate.der),), _itself).find(reference)
        ]
        if len({certificate.der for _, certificate in named}) > 1:
            raise WSSecurityError(Reason.AMBIGUOUS_KEY, "several tokens of the message have that name")
        if not named:
            return None
        # CXF sends a certificate twice that both signs and endorses: it is one answer all the same
        self.used.update(index for index, _ in named)
        index, certificate = named[0]
        return self._trusted(certificate, index)

    def _trusted(self, embedded: EmbeddedCertificate, index: int | None) -> CertificateKey:
        certificate = _parsed(embedded.der)
        path = tuple(_parsed(der) for der in embedded.path)
        return self._accepted(certificate, path, index)

    def _accepted(
        self, certificate: Certificate, path: tuple[Certificate, ...], index: int | None
    ) -> CertificateKey:
        trusted = self.context.keys.trust(certificate, path, self.context.now)
        return CertificateKey(
            trusted.certificate, path, index, trusted.partner, trusted.roles, trusted.groups
        )


def _same_instance(root: KeyRoot, instance: str | None) -> None:
    """A renewed context has one key at a time (WS-SecureConversation 1.3, section 5)."""
    context = root.context
    if context is not None and instance != context.instance:
        raise SoapError(
            SoapFault.BAD_CONTEXT_TOKEN,
            Reason.CONTEXT_INSTANCE,
            instance or "the first",
            namespace=context.namespace,
        )


def _same_version(root: KeyRoot, namespace: str) -> None:
    """Keys of a context are derived by the rules it was agreed under."""
    if root.context is not None and root.context.namespace != namespace:
        raise WSSecurityError(Reason.DERIVED_KEY, "another version than the context's")


#: certificates of messages, parsed once: the same partners come again and again, and strangers' ones
#: (each within Limits.certificate_bytes) take no more than some megabytes
_parsed = lru_cache(maxsize=256)(Certificate.from_der)


def _itself(certificate: Certificate) -> Certificate:
    return certificate
