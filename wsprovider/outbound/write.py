"""Carrying out a plan: every element is written as canonical bytes, digested, and joined.

Nothing is parsed and nothing is canonicalised twice: the Body once (:mod:`wsprovider.outbound.body`),
everything in the Security header not at all, because it is written in exclusive canonical form.
"""

from dataclasses import dataclass
from typing import Final

from wsprovider.crypto.algorithms import (
    DIGESTS,
    fitting_signature,
    sign_asymmetric,
    sign_symmetric,
)
from wsprovider.crypto.ciphers import CIPHERS, encrypt
from wsprovider.header import (
    encrypted_data,
    encrypted_header,
    signature,
    signature_confirmation,
    timestamp,
    username_token,
)
from wsprovider.header import token_reference as str_
from wsprovider.outbound import keys as out_keys
from wsprovider.outbound.body import PREFIX, Body, make_body
from wsprovider.outbound.keys import Secret, Transported
from wsprovider.outbound.message import Outgoing, Sent
from wsprovider.outbound.order import HeaderChildren
from wsprovider.outbound.plan import Naming, Plan
from wsprovider.ports import Entropy
from wsprovider.words import namespaces as ns
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
        self.suffix = entropy(_ID_BYTES).hex()
        self.counter = 0
        self.header = HeaderChildren()
        self.encrypted_ids: list[str] = []
        self.transported: Transported | None = None
        self.signing_secret: Secret | None = None
        self.encrypting_secret: Secret | None = None
        self.signatures: list[bytes] = []
        self.digest_method = outgoing.algorithms.digest or self.suite.digests[0]
        #: what will be signed: target id, canonical bytes, transform
        self.targets: list[tuple[str, bytes, str]] = []

    def run(self) -> Sent:
        plan, requirements = self.plan, self.requirements
        self._prepare_keys()
        body_id = self._id("Body") if plan.signs and requirements.signed.body else None
        body = make_body(self.out.body, self.out.version, body_id, exact=self.out.exact)
        stamp, confirmations, username = self._simple_children()
        before = requirements.encrypt_before_signing
        encrypts_body = plan.encrypts and requirements.encrypted.body
        if before and encrypts_body:
            body = self._encrypted_body(body)
        blocks = self._blocks(sign_first=not before)
        if before:
            confirmations, username = self._sealed(confirmations, username)
        if plan.signs:
            if body_id is not None:
                self.targets.insert(0, (body_id, body.canonical, signature.C14N_TRANSFORM))
            for part in (stamp, *confirmations, username):
                self._add_target(part, signed=part is not username or self._username_signed())
            self._sign()
        if not before and encrypts_body:
            body = self._encrypted_body(body)
        if not before:
            confirmations, username = self._sealed(confirmations, username)
        if self._seals_signature():
            self.header.signature = self._encrypted_part(_Part(None, self.header.signature)).data
        self.header.timestamp = stamp.data if stamp is not None else b""
        self.header.confirmations = [part.data for part in confirmations]
        self.header.username = username.data if username is not None else b""
        return self._assemble(body, blocks)

    def _sealed(self, confirmations: list[_Part], username: _Part | None) -> tuple[list[_Part], _Part | None]:
        """SignatureConfirmations and UsernameToken, encrypted where they should be."""
        if username is not None and self.plan.username_encrypted:
            username = self._encrypted_part(username)
        if self._seals_signature():
            confirmations = [self._encrypted_part(part) for part in confirmations]
        return confirmations, username

    def _seals_signature(self) -> bool:
        """EncryptSignature (WS-SecurityPolicy 1.2, section 6.4), SignatureConfirmations included."""
        return self.plan.signs and self.plan.encrypts and self.requirements.encrypt_signature

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
        if shared is not None:
            secret = shared.secret
            reference = str_.write_key_identifier(uris.ENCRYPTED_KEY_SHA1, shared.sha1, uris.ENCRYPTED_KEY)
        else:
            self.transported = self._transport(self.suite.symmetric_bits // 8)
            secret = self.transported.secret
            reference = str_.write_local(self.transported.identifier, uris.ENCRYPTED_KEY, uris.ENCRYPTED_KEY)
        base = Secret(secret, reference)
        self.signing_secret = self.encrypting_secret = base
        if self.plan.signs and self.requirements.signature_derived:
            self.signing_secret = self._derived(base, self.suite.signature_derived_bits)
        if self.plan.encrypts and self.requirements.encryption_derived:
            self.encrypting_secret = self._derived(base, self.suite.encryption_derived_bits)

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
        derived = out_keys.derive(
            base.secret,
            base.reference,
            self._id("DK"),
            bits // 8,
            self.out.algorithms.derivation,
            self.entropy,
        )
        self.header.keys.append(derived.token)
        return derived

    # children of the Security header ---------------------------------------------------------

    def _simple_children(self) -> tuple[_Part | None, list[_Part], _Part | None]:
        """Timestamp, SignatureConfirmations and UsernameToken, as they will be signed."""
        out = self.out
        stamp: _Part | None = None
        if self.requirements.timestamp:
            identifier = self._id("TS")
            stamp = _Part(identifier, timestamp.write(identifier, out.now, out.now + out.life))
        confirmations: list[_Part] = []
        if self.requirements.confirmation and out.confirmations is not None:
            for value in out.confirmations or (None,):
                identifier = self._id("SC")
                confirmations.append(_Part(identifier, signature_confirmation.write(identifier, value)))
        username = self._username() if self.requirements.usernames else None
        return stamp, confirmations, username

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

    def _username_signed(self) -> bool:
        return any(username.signed for username in self.requirements.usernames)

    def _add_target(self, part: _Part | None, *, signed: bool) -> None:
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

    # signature -------------------------------------------------------------------------------

    def _sign(self) -> None:
        reference, token = self._signing_reference()
        if self.requirements.protect_tokens and token is not None:
            self.targets.append(token)
        digest = DIGESTS[self.digest_method].digest
        digests = [(target, digest(data), transform) for target, data, transform in self.targets]
        method = self._signature_method()
        info = signature.write_signed_info(method, self.digest_method, digests)
        if self.plan.symmetric:
            value = sign_symmetric(method, self._signing().secret, info)
        else:
            pair = self.out.signing
            if pair is None:
                raise ConfigurationError([Problem("signature", "no key to sign with")])
            value = sign_asymmetric(method, pair.private_key, info)
        self.signatures.append(value)
        self.header.signature = signature.write(self._id("SIG"), info, value, reference)

    def _signing(self) -> Secret:
        if self.signing_secret is None:
            raise ConfigurationError([Problem("signature", "no secret to sign with")])
        return self.signing_secret

    def _signature_method(self) -> str:
        asked = self.out.algorithms.signature
        if self.plan.symmetric:
            methods = self.suite.symmetric_signatures
            return asked if asked in methods else methods[0]
        pair = self.out.signing
        if pair is None:
            raise ConfigurationError([Problem("signature", "no key to sign with")])
        methods = self.suite.asymmetric_signatures
        preferred = (asked, *methods) if asked in methods and asked is not None else methods
        method = fitting_signature(pair.private_key, preferred)
        if method is None:
            raise ConfigurationError(
                [Problem(f"key {pair.name}", f"suite {self.suite.name} has no method for it")]
            )
        return method

    def _signing_reference(self) -> tuple[str, tuple[str, bytes, str] | None]:
        """The KeyInfo's reference, and the token behind it as something that can be signed."""
        if self.plan.symmetric:
            secret = self._signing()
            if secret.token_id is not None:
                return secret.reference, (
                    secret.token_id,
                    secret.token,
                    signature.C14N_TRANSFORM,
                )
            if self.transported is not None:
                # its ReferenceList stands apart in a symmetric binding, so it is complete already
                token = self.transported.write()
                return secret.reference, (
                    self.transported.identifier,
                    token,
                    signature.C14N_TRANSFORM,
                )
            return secret.reference, None
        pair = self.out.signing
        if pair is None:
            raise ConfigurationError([Problem("signature", "no key to sign with")])
        naming = self.plan.signature_naming
        if naming is Naming.ENCLOSED:
            identifier = self._id("X509")
            self.header.token = out_keys.enclosed_token(pair.certificate, identifier)
            reference = out_keys.certificate_reference(pair.certificate, naming, identifier)
            return reference, (identifier, self.header.token, signature.C14N_TRANSFORM)
        reference = out_keys.certificate_reference(pair.certificate, naming)
        if not self.requirements.protect_tokens:
            return reference, None
        identifier = self._id("STR")
        reference = str_.with_id(reference, identifier)
        value = str_.dereferenced(pair.certificate)
        return reference, (identifier, value, signature.STR_TRANSFORM)

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
            shared=self.out.secret is not None,
        )
        version = self.out.version
        true = "1" if version.name == "1.1" else "true"
        security = b""
        if any(children):
            security = b"".join(
                (
                    f'<wsse:Security xmlns:wsse="{ns.WSSE}" xmlns:wsu="{ns.WSU}"'
                    f' {PREFIX}:mustUnderstand="{true}">'.encode("ascii"),
                    *children,
                    b"</wsse:Security>",
                )
            )
        data = b"".join(
            (
                f'<{PREFIX}:Envelope xmlns:{PREFIX}="{version.namespace}"'.encode("ascii"),
                body.declarations,
                f"><{PREFIX}:Header>".encode("ascii"),
                *blocks,
                security,
                f"</{PREFIX}:Header>".encode("ascii"),
                body.start,
                body.content,
                body.end,
                f"</{PREFIX}:Envelope>".encode("ascii"),
            )
        )
        secrets: dict[bytes, bytes] = {}
        if self.plan.symmetric and self.transported is not None:
            secrets[self.transported.sha1] = self.transported.secret
        return Sent(data, tuple(self.signatures), secrets)
