"""What an accepted message says, and which replies there are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lxml import etree

from tests.fuzz.recipe import Recipe
from tests.fuzz.samples import canonical
from tests.simulator import bend
from tests.unit.server.plain import Response
from wsprovider.exchange.recipient import VerifiedRequest
from wsprovider.soap.fault import refusal
from wsprovider.soap.version import SOAP_11, SOAP_12
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import SoapError, SoapFault, WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.words.trust import TRUST_VERSIONS

CONFIRMATION = f"{{{ns.WSSE11}}}SignatureConfirmation"


@dataclass(frozen=True)
class Facts:
    """What a service is given by a message, as far as its policy protects it.

    Attributes:
        body: canonical Body where it is signed, else its content: nothing vouches for the tags around it.
        headers: signed addressing.
        signatures: their values, in no order: a lax layout has none.
        children: names of what stands in the Security header, in no order either; without confirmations where the
            policy lets requests bring them, which nothing reads then.
        seen: operation, caller and parameters, as the service saw them.
    """

    operation: str
    principal: str
    body_signed: bool
    body: bytes
    timestamps: tuple[bytes, ...]
    headers: tuple[bytes, ...]
    signatures: tuple[bytes, ...]
    children: tuple[str, ...]
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
        children = [str(one.tag) for one in bend.every(root, f"{bend.SECURITY}/*")]
        body = verified.body
        return cls(
            verified.operation.name,
            verified.principal.name,
            signed.body,
            canonical(body) if signed.body else b"".join(map(canonical, body)),
            tuple(map(canonical, bend.every(root, bend.TIMESTAMP))),
            tuple(sorted(map(canonical, blocks))),
            tuple(sorted(verified.signature_values)),
            tuple(sorted(tag for tag in children if tag != CONFIRMATION or not request.stray_confirmation)),
            nonces[0] if nonces else b"",
            tuple(seen),
        )

    def differences(self, genuine: "Facts", others: Iterable["Facts"]) -> list[str]:
        """Names of what differs from a genuine message.

        Where one key encrypts every Body of a conversation and nothing signs them, any of them may follow any header
        (DESIGN.md of such policies says so; it is warned of at start), though only once.
        """
        compared = ["principal", "timestamps", "headers", "children"]
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
    root = sent_tree(message, recipe)
    if root is None:
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


def sent_tree(message: bytes, recipe: Recipe) -> etree._Element | None:
    """What was sent, parsed beside the engine; None where its octets do not say by themselves what they are."""
    if recipe.frame in {"charset", "content-type"}:
        return None
    try:
        return etree.fromstring(message, etree.XMLParser(remove_comments=True, huge_tree=True))
    except (etree.XMLSyntaxError, ValueError):
        return None


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
