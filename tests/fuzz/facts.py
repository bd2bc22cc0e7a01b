"""What an accepted message says, computed beside the engine, and which replies there are."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lxml import etree

from tests.fuzz.recipe import Recipe
from tests.fuzz.samples import Sample, canonical
from tests.simulator import bend
from tests.unit.server.plain import Response
from wsprovider.crypto.algorithms import DIGESTS
from wsprovider.exchange.recipient import VerifiedRequest
from wsprovider.soap.fault import refusal
from wsprovider.soap.version import SOAP_11, SOAP_12
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import SoapError, SoapFault, WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.words.trust import TRUST_VERSIONS


@dataclass(frozen=True)
class Facts:
    """What a service is given by a message, as far as its policy protects it.

    Attributes:
        body: canonical Body where it is signed, else its content: nothing vouches for the tags around it.
        headers: signed addressing.
        seen: operation, caller and parameters, as the service saw them.
    """

    operation: str
    principal: str
    body_signed: bool
    body: bytes
    timestamps: tuple[bytes, ...]
    headers: tuple[bytes, ...]
    signatures: tuple[bytes, ...]
    nonce: bytes
    seen: tuple[tuple[str, str, str], ...]

    @classmethod
    def of(cls, verified: VerifiedRequest, seen: Sequence[tuple[str, str, str]]) -> "Facts":
        request = verified.way.requirements.request
        signed = request.signed
        root = verified.root
        header = bend.every(root, bend.HEADER)
        blocks = [one for one in (header[0] if header else ()) if signed.wants(str(one.tag))]
        tokens = verified.evidence.candidates.usernames.values()
        nonces = [one.nonce for one in tokens if one.nonce is not None]
        body = verified.body
        return cls(
            verified.operation.name,
            verified.principal.name,
            signed.body,
            canonical(body) if signed.body else b"".join(map(canonical, body)),
            tuple(map(canonical, bend.every(root, bend.TIMESTAMP))),
            tuple(sorted(map(canonical, blocks))),
            verified.signature_values,
            nonces[0] if nonces else b"",
            tuple(seen),
        )

    def differences(self, genuine: "Facts", others: Iterable["Facts"]) -> list[str]:
        """Names of what differs from a genuine message.

        Where one key encrypts every Body of a conversation and nothing signs them, any of them may follow any header
        (DESIGN.md of such policies says so; it is warned of at start), though only once.
        """
        compared = ["principal", "timestamps", "headers"]
        changed = [name for name in compared if getattr(self, name) != getattr(genuine, name)]
        pairs = {(one.body, one.seen, one.operation) for one in others if not one.body_signed}
        if not self.body_signed and (self.body, self.seen, self.operation) in pairs:
            return changed
        said = ("operation", "body", "seen")
        return changed + [name for name in said if getattr(self, name) != getattr(genuine, name)]


def sent_body(
    message: bytes, recipe: Recipe, verified: VerifiedRequest, secrets: Sequence[bytes]
) -> bytes | None:
    """The canonical Body of what was sent, decrypted by the sender's own secrets; None where that is not known."""
    if recipe.frame in {"charset", "content-type"}:
        return None
    try:
        root = etree.fromstring(message, etree.XMLParser(remove_comments=True, huge_tree=True))
    except (etree.XMLSyntaxError, ValueError):
        return None
    (body,) = [one for one in root if one.tag == f"{{{verified.version.namespace}}}Body"]
    sealed = body.find(f"{{{ns.XENC}}}EncryptedData")
    if sealed is not None:
        opened = [plain for secret in secrets if (plain := _opened(sealed, secret)) is not None]
        if len(opened) != 1 or len(body) != 1:
            return None
        root = _spliced(root, sealed, opened[0])
        if root is None:
            return None
        (body,) = [one for one in root if one.tag == f"{{{verified.version.namespace}}}Body"]
    signed = verified.way.requirements.request.signed.body
    return canonical(body) if signed else b"".join(map(canonical, body))


def _opened(sealed: etree._Element, secret: bytes) -> bytes | None:
    try:
        return bend.plaintext_of(sealed, secret)
    except Exception:  # noqa: BLE001 - not by this key, then
        return None


def _spliced(root: etree._Element, sealed: etree._Element, plaintext: bytes) -> etree._Element | None:
    parent = sealed.getparent()
    assert parent is not None
    parent.remove(sealed)
    parent.text = "the plaintext goes here"
    data = etree.tostring(root, encoding="UTF-8").replace(b"the plaintext goes here", plaintext)
    try:
        return etree.fromstring(data, etree.XMLParser(remove_comments=True, huge_tree=True))
    except (etree.XMLSyntaxError, ValueError):
        return None


def insiders_doubt(
    message: bytes, verified: VerifiedRequest, facts: Facts, sample: Sample, genuine: dict[str, Facts]
) -> str:
    """Why what was accepted of a hostile partner is not what he signed and encrypted; empty if it is."""
    if facts.principal not in {one.principal for one in genuine.values()} | {"bob"}:
        return f"another caller: {facts.principal}"
    required = verified.way.requirements.request
    protected = bend.every(verified.root, bend.TIMESTAMP) if required.timestamp else []
    protected = [*protected, *([verified.body] if required.signed.body else [])]
    before = required.encrypt_before_signing
    for one in protected:
        if not any(
            _covered(verified.root, reference, one, before=before) for reference in _references(verified)
        ):
            return f"nothing signs the {etree.QName(one).localname}: {canonical(one)[:300]!r}"
    secrets = {secret for letter in sample.letters.values() for secret in letter.secrets}
    sent = sent_body(message, Recipe(""), verified, tuple(secrets))
    if sent is not None and sent != facts.body:
        return f"another Body than was sent: {sent[:300]!r} {facts.body[:300]!r}"
    return ""


def _references(verified: VerifiedRequest) -> list[etree._Element]:
    return list(verified.root.iter(f"{{{ns.DS}}}Reference"))


def _covered(
    root: etree._Element, reference: etree._Element, target: etree._Element, *, before: bool
) -> bool:
    """Whether a Reference names an element and its digest holds (of a cipher text that is gone: names it)."""
    if reference.get("URI") not in {f"#{target.get(bend.WSU_ID)}", f"#{target.get('Id')}"}:
        return False
    if before and etree.QName(target).localname == "Body":
        return True
    method = bend.one(reference, "ds:DigestMethod").get("Algorithm", "")
    prefixes = " ".join(
        one.get("PrefixList", "") for one in reference.iter(f"{{{ns.EXC_C14N}}}InclusiveNamespaces")
    ).split()
    octets = etree.tostring(
        target,
        method="c14n",
        exclusive=True,
        with_comments=False,
        with_tail=False,
        inclusive_ns_prefixes=prefixes,
    )
    value = bend.base64.b64encode(DIGESTS[method].digest(octets)).decode()
    return re.sub(r"\s", "", reference.findtext(f"{{{ns.DS}}}DigestValue") or "") == value


# replies ----------------------------------------------------------------------------------------------

_STATUSES = {200, 400, 404, 405, 411, 413, 415, 500}


def _known_faults() -> frozenset[bytes]:
    """Every fault that may answer a refused message; none of them is that of an internal error."""
    namespaces = {version.conversation for version in TRUST_VERSIONS.values()} | {
        version.namespace for version in TRUST_VERSIONS.values()
    }
    namespaces |= {ns.WSA_200408, ns.WSA_200508}
    found = set()
    for version in (SOAP_11, SOAP_12):
        found.add(refusal(WSSecurityError(Reason.REPLAY), version).data)
        for fault in set(SoapFault) - {SoapFault.SERVER}:
            for namespace in (None, *sorted(namespaces)):
                error = SoapError(fault, Reason.NOT_AN_INPUT, namespace=namespace)
                found.add(refusal(error, version).data)
    return frozenset(found)


_FAULTS = _known_faults()
_UNIFORM = frozenset(refusal(WSSecurityError(Reason.REPLAY), one).data for one in (SOAP_11, SOAP_12))


def allowed_fault(response: Response, errors: Sequence[Exception]) -> str:
    """What is wrong with the answer to a message that was not accepted; empty if nothing is."""
    if response.status not in _STATUSES:
        return f"status {response.status}"
    if response.headers.get("Content-Type", "").startswith(
        ("text/plain", "application/json", "application/wsdl")
    ):
        return "" if not errors else "a page"
    if b":definitions" in response.data[:200] and not errors:
        return ""
    if not response.data and response.status != 500 and not errors:
        return ""  # HEAD
    if any(isinstance(error, WSSecurityError) for error in errors):
        return "" if response.data in _UNIFORM and response.status == 500 else "a security fault of its own"
    return "" if response.data in _FAULTS else "a fault"
