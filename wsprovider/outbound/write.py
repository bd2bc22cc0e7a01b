"""Carrying out a plan: every element is written as canonical bytes, digested, and joined.

Nothing is parsed and nothing is canonicalised twice: the Body once (:mod:`wsprovider.outbound.body`),
everything in the Security header not at all, because it is written in exclusive canonical form.
"""

from dataclasses import dataclass
from typing import Final

from wsprovider.crypto.ciphers import CIPHERS, encrypt
from wsprovider.crypto.direction import NONCE_BYTES, reply_suffix
from wsprovider.header import (
    encrypted_data,
    encrypted_header,
    signature,
    signature_confirmation,
    timestamp,
    username_token,
)
from wsprovider.header import token_reference as str_
from wsprovider.keyring.contexts import ContextKey
from wsprovider.keyring.material import KeyPair
from wsprovider.outbound import keys as out_keys
from wsprovider.outbound.body import PREFIX, Body, make_body
from wsprovider.outbound.envelope import write_envelope
from wsprovider.outbound.keys import Secret, Transported
from wsprovider.outbound.message import Outgoing, Sent, TicketSecret
from wsprovider.outbound.order import HeaderChildren
from wsprovider.outbound.plan import Plan
from wsprovider.outbound.signing import (
    Signer,
    Target,
    context_secret,
    make_signature,
    pair_signer,
    secret_signer,
    ticket_secret,
)
from wsprovider.policy.requirements import KeySource
from wsprovider.ports import Entropy
from wsprovider.words import uris
from wsprovider.words.errors import ConfigurationError, Problem

_ID_BYTES: Final = 8
_NONCE_BYTES: Final = 16


def write(plan: Plan, outgoing: Outgoing, entropy: Entropy) -> Sent:
    """Protect a message and return its bytes.

    Raises:
        ConfigurationError: a key or certificate that the plan needs is not there.
    """
    return _Writer(plan, outgoing, entropy).run()


@dataclass(slots=True)
class _Part:
    """Something that may be signed and encrypted: a header child, a block, or the Body's content."""

    identifier: str | None
    data: bytes


class _Writer:
    """One message being written; used once."""

    def __init__(self, plan: Plan, outgoing: Outgoing, entropy: Entropy) -> None:
        self.plan, self.out, self.entropy = plan, outgoing, entropy
        self.requirements = plan.requirements
        self.suite = plan.requirements.suite
        self.suffix = self._suffix()
        self.counter = 0
        self.header = HeaderChildren()
        self.encrypted_ids: list[str] = []
        self.transported: Transported | None = None
        self.signing_secret: Secret | None = None
        self.encrypting_secret: Secret | None = None
        self.signatures: list[bytes] = []
        self.digest_method = outgoing.algorithms.digest or self.suite.digests[0]
        self.stamp: _Part | None = None
        self.confirmations: list[_Part] = []
        self.username: _Part | None = None
        self.endorsing_token: _Part | None = None
        self.signature: _Part | None = None
        self.targets: list[Target] = []

    def run(self) -> Sent:
        plan, requirements = self.plan, self.requirements
        self._prepare_keys()
        body_id = self._id("Body") if plan.signs and requirements.signed.body else None
        body = make_body(self.out.body, self.out.version, body_id, exact=self.out.exact)
        self._simple_children()
        endorsers = self._endorsers()
        before = requirements.encrypt_before_signing
        if before:
            body = self._sealed_body(body)
        blocks = self._blocks(sign_first=not before)
        if before:
            self._seal_children()
        if plan.signs:
            self._sign(body, body_id)
        for endorser in endorsers:
            self._endorse(endorser)
        if not before:
            body = self._sealed_body(body)
            self._seal_children()
        self._fill_header()
        return self._assemble(body, blocks)

    def _sealed_body(self, body: Body) -> Body:
        return self._encrypted_body(body) if self.plan.encrypts and self.requirements.encrypted.body else body

    def _seal_children(self) -> None:
        """SignatureConfirmations, UsernameToken and endorsing token, encrypted where they should be."""
        if self.username is not None and self.plan.username_encrypted:
            self.username = self._encrypted_part(self.username)
        if self._seals_signature():
            self.confirmations = [self._encrypted_part(part) for part in self.confirmations]
        token = self.endorsing_token
        if token is not None and any(one.encrypted for one in self.requirements.endorsing):
            self.endorsing_token = self._encrypted_part(token)

    def _fill_header(self) -> None:
        header = self.header
        if self._seals_signature():
            header.signature = self._encrypted_part(_Part(None, header.signature)).data
            header.endorsing = [self._encrypted_part(_Part(None, one)).data for one in header.endorsing]
        header.timestamp = _data(self.stamp)
        header.confirmations = [part.data for part in self.confirmations]
        header.username = _data(self.username)
        header.endorsing_token = _data(self.endorsing_token)

    def _seals_signature(self) -> bool:
        """EncryptSignature (WS-SecurityPolicy 1.2, section 6.4), SignatureConfirmations included."""
        return self.plan.signs and self.plan.encrypts and self.requirements.encrypt_signature

    def _suffix(self) -> str:
        """The end of every id; in a reply under a shared secret it says so."""
        shared = self.out.context or self.out.ticket or self.out.secret
        if self.requirements.request or shared is None:
            return self.entropy(_ID_BYTES).hex()
        return reply_suffix(shared.secret, self.entropy(NONCE_BYTES))

    def _id(self, kind: str) -> str:
        self.counter += 1
        return f"{kind}-{self.counter}-{self.suffix}"

    # keys ------------------------------------------------------------------------------------

    def _prepare_keys(self) -> None:
        plan, algorithms = self.plan, self.out.algorithms
        if plan.symmetric:
            self._prepare_symmetric()
        elif plan.encrypts:
            method = algorithms.encryption or self.suite.encryptions[0]
            self.transported = self._transport(CIPHERS[method].key_bytes)
            reference = str_.write_local(self.transported.identifier, None, uris.ENCRYPTED_KEY)
            self.encrypting_secret = Secret(self.transported.secret, reference)

    def _prepare_symmetric(self) -> None:
        shared = self.out.secret
        if self.requirements.in_context:
            base = self._context_secret(self.out.context)
        elif self.requirements.key_source is KeySource.TICKET:
            base = self._ticket_secret(self.out.ticket)
        elif shared is not None:
            reference = str_.write_key_identifier(uris.ENCRYPTED_KEY_SHA1, shared.sha1, uris.ENCRYPTED_KEY)
            base = Secret(shared.secret, reference)
        else:
            transported = self.transported = self._transport(self.suite.symmetric_bits // 8)
            reference = str_.write_local(transported.identifier, uris.ENCRYPTED_KEY, uris.ENCRYPTED_KEY)
            # its ReferenceList stands apart in a symmetric binding, so it is complete already
            base = Secret(transported.secret, reference, transported.write(), transported.identifier)
        self.signing_secret = self.encrypting_secret = base
        if self.plan.signs and self.requirements.signature_derived:
            self.signing_secret = self._derived(base, self.suite.signature_derived_bits)
        if self.plan.encrypts and self.requirements.encryption_derived:
            self.encrypting_secret = self._derived(base, self.suite.encryption_derived_bits)

    def _context_secret(self, context: ContextKey | None) -> Secret:
        if context is None:
            raise ConfigurationError([Problem("conversation", "there is no security context")])
        secret = context_secret(context, self._id("SCT"))
        self.header.context += secret.token  # a ticket may protect what a context endorses
        return secret

    def _ticket_secret(self, ticket: TicketSecret | None) -> Secret:
        if ticket is None:
            raise ConfigurationError([Problem("kerberos", "there is no ticket")])
        secret = ticket_secret(ticket, self._id("KRB"))
        self.header.context = secret.token
        return secret

    def _transport(self, length: int) -> Transported:
        algorithms = self.out.algorithms
        return out_keys.transport_secret(
            self.out,
            self._id("EK"),
            length,
            algorithms.transport or self.suite.key_transports[0],
            self.plan.encryption_naming,
            self.entropy,
        )

    def _derived(self, base: Secret, bits: int) -> Secret:
        context = self.out.context
        namespace = self.out.algorithms.derivation if context is None else context.namespace
        if self.requirements.implied_keys:
            return out_keys.derive_implied(base, bits // 8, namespace, self.entropy)
        derived = out_keys.derive(
            base.secret, base.reference, self._id("DK"), bits // 8, namespace, self.entropy
        )
        self.header.keys.append(derived.token)
        return derived

    # children of the Security header ---------------------------------------------------------

    def _simple_children(self) -> None:
        """Timestamp, SignatureConfirmations and UsernameToken, as they will be signed."""
        out = self.out
        if self.requirements.timestamp:
            identifier = self._id("TS")
            self.stamp = _Part(identifier, timestamp.write(identifier, out.now, out.now + out.life))
        if self.requirements.confirmation and out.confirmations is not None:
            for value in out.confirmations or (None,):
                identifier = self._id("SC")
                part = _Part(identifier, signature_confirmation.write(identifier, value))
                self.confirmations.append(part)
        if self.requirements.usernames:
            self.username = self._username()

    def _username(self) -> _Part:
        credentials = self.out.credentials
        if credentials is None:
            raise ConfigurationError([Problem("credentials", "the policy wants a UsernameToken")])
        identifier = self._id("UT")
        if credentials.digest:
            data = username_token.write_digest(
                identifier,
                credentials.username,
                credentials.password,
                self.entropy(_NONCE_BYTES),
                self.out.now,
            )
        else:
            data = username_token.write_text(identifier, credentials.username, credentials.password)
        return _Part(identifier, data)

    def _add_target(self, part: _Part | None, *, signed: bool = True) -> None:
        if part is not None and signed and part.identifier is not None:
            self.targets.append((part.identifier, part.data, signature.C14N_TRANSFORM))

    # header blocks ---------------------------------------------------------------------------

    def _blocks(self, *, sign_first: bool) -> list[bytes]:
        """Write the application's and addressing's header blocks, signed and encrypted as asked."""
        requirements, written = self.requirements, []
        for block in self.out.blocks:
            signed = self.plan.signs and requirements.signed.wants(block.tag)
            sealed = self.plan.encrypts and requirements.encrypted.wants(block.tag)
            identifier = self._id("H") if signed and (sign_first or not sealed) else None
            data = block.write(identifier)
            if identifier is not None:
                self.targets.append((identifier, data, signature.C14N_TRANSFORM))
            if sealed:
                outer = self._id("EH")
                data = encrypted_header.write(
                    outer,
                    self._encrypted_part(_Part(None, data)).data,
                    PREFIX,
                    self.out.version.namespace,
                    block.soap_attributes(self.out.version),
                )
                if signed and not sign_first:
                    self.targets.append((outer, data, signature.C14N_TRANSFORM))
            written.append(data)
        return written

    # encryption ------------------------------------------------------------------------------

    def _encrypt(self, plaintext: bytes, *, content: bool) -> tuple[str, bytes]:
        secret = self.encrypting_secret
        if secret is None:
            raise ConfigurationError([Problem("encryption", "no key to encrypt with")])
        method = self.out.algorithms.encryption or self.suite.encryptions[0]
        if self.requirements.key_source is KeySource.TICKET and not self.requirements.encryption_derived:
            out_keys.check_length(secret.secret, method, self.suite)
        identifier = self._id("ED")
        self.encrypted_ids.append(identifier)
        data = encrypted_data.write(
            identifier,
            content=content,
            method=method,
            reference=secret.reference,
            octets=encrypt(method, secret.secret, plaintext, self.entropy),
        )
        return identifier, data

    def _encrypted_body(self, body: Body) -> Body:
        _, data = self._encrypt(body.content, content=True)
        return Body(body.start, data, body.end, body.declarations)

    def _encrypted_part(self, part: _Part) -> _Part:
        identifier, data = self._encrypt(part.data, content=False)
        return _Part(identifier, data)

    # signatures ------------------------------------------------------------------------------

    def _sign(self, body: Body, body_id: str | None) -> None:
        """The message signature."""
        requirements = self.requirements
        if body_id is not None:
            self.targets.insert(0, (body_id, body.canonical, signature.C14N_TRANSFORM))
        for part in (self.stamp, *self.confirmations):
            self._add_target(part)
        self._add_target(self.username, signed=any(one.signed for one in requirements.usernames))
        signer = self._signer()
        self.header.token = signer.token
        if requirements.protect_tokens and signer.target is not None:
            self.targets.append(signer.target)
        self._add_target(self.endorsing_token, signed=any(one.signed for one in requirements.endorsing))
        self.signature = self._made(signer, self.targets)
        self.header.signature = self.signature.data

    def _signer(self) -> Signer:
        asked = self.out.algorithms.signature
        if self.plan.symmetric:
            if self.signing_secret is None:
                raise ConfigurationError([Problem("signature", "no secret to sign with")])
            return secret_signer(self.signing_secret, self.suite, asked)
        pair = self.out.signing
        if pair is None:
            raise ConfigurationError([Problem("signature", "no key to sign with")])
        protect = self.requirements.protect_tokens
        return pair_signer(pair, self.suite, asked, self.plan.signature_naming, self._id, protect=protect)

    def _endorsers(self) -> list[Signer]:
        """Who signs the message signature; their tokens go into the header."""
        keys = self.out.endorsing
        if len(keys) != len(self.requirements.endorsing):
            raise ConfigurationError([Problem("signature", "no key to endorse with")])
        return [self._endorser(key) for key in keys]

    def _endorser(self, key: KeyPair | ContextKey | TicketSecret) -> Signer:
        if isinstance(key, ContextKey):
            return secret_signer(self._context_secret(key), self.suite, None)
        if isinstance(key, TicketSecret):
            signer = secret_signer(ticket_secret(key, self._id("KRB")), self.suite, None)
            self.endorsing_token = _Part(*signer.target[:2]) if signer.target is not None else None
            return signer
        protect, naming = self.requirements.protect_tokens, self.plan.endorsing_naming
        signer = pair_signer(key, self.suite, None, naming, self._id, protect=protect)
        if signer.token and signer.target is not None:
            self.endorsing_token = _Part(signer.target[0], signer.token)
        return signer

    def _endorse(self, signer: Signer) -> None:
        """WS-SecurityPolicy 1.2, section 8.3: over the message signature, or over TLS the Timestamp."""
        signed = self.signature or self.stamp
        if signed is None or signed.identifier is None:
            raise ConfigurationError([Problem("signature", "there is nothing to endorse")])
        targets = [(signed.identifier, signed.data, signature.C14N_TRANSFORM)]
        if self.requirements.protect_tokens and signer.target is not None:
            targets.append(signer.target)
        self.header.endorsing.append(self._made(signer, targets).data)

    def _made(self, signer: Signer, targets: list[Target]) -> _Part:
        identifier = self._id("SIG")
        data, value = make_signature(identifier, targets, self.digest_method, signer)
        self.signatures.append(value)
        return _Part(identifier, data)

    # assembly --------------------------------------------------------------------------------

    def _assemble(self, body: Body, blocks: list[bytes]) -> Sent:
        header = self.header
        listed = encrypted_data.write_reference_list(self.encrypted_ids) if self.encrypted_ids else ""
        if self.transported is not None:
            inside = listed if not self.plan.symmetric else ""
            header.encrypted_key = self.transported.write(inside)
        if self.plan.symmetric:
            header.reference_list = listed.encode("ascii")
        children = header.in_order(
            encrypted_first=self.requirements.encrypt_before_signing,
            symmetric=self.plan.symmetric,
            # the ReferenceList stands before what it names, encrypted SignatureConfirmations included
            shared=self.out.secret is not None and not self._seals_signature(),
        )
        data = write_envelope(self.out.version, body, blocks, children)
        made = self.transported
        secrets = {} if made is None else {made.sha1: made.secret}
        receiver = None if made is None else self.out.encrypt_to
        return Sent(data, tuple(self.signatures), secrets, receiver)


def _data(part: _Part | None) -> bytes:
    return part.data if part is not None else b""
