"""wst:RequestSecurityTokenResponse: the context that was issued or renewed, or word that it has gone.

WS-Trust 1.3, sections 3.2, 4.4 and 6. What an initiator reads is let in by the same strictness as everything
else: one response, one token, one way to the key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from lxml import etree

from wsprovider.conversation.request import TokenRequest, write_lifetime, write_secret
from wsprovider.crypto.derivation import p_sha1
from wsprovider.header import fields, security_context_token
from wsprovider.header.times import parse_time
from wsprovider.header.token_reference import write_context, write_local
from wsprovider.keyring.contexts import ContextKey
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.words.trust import TrustVersion
from wsprovider.xml.escape import escape_attribute

_DEFAULT_BITS: Final = 256
_BITS: Final = range(128, 1025)
_KNOWN: Final = (
    "TokenType",
    "RequestedSecurityToken",
    "RequestedAttachedReference",
    "RequestedUnattachedReference",
    "Lifetime",
    "RequestedProofToken",
    "Entropy",
    "KeySize",
    "KeyType",
    "RequestedTokenCancelled",
)
_READ_OVER: Final = tuple(f"{{{namespace}}}AppliesTo" for namespace in (ns.WSP_200409, ns.WSP_15))


@dataclass(frozen=True, slots=True)
class Proof:
    """How the client comes to know the key of its context (WS-Trust 1.3, section 4.4.4).

    Attributes:
        server_entropy: to be combined with the client's; None where the key is told, or is the client's own.
        secret: the key itself; None where it is computed, or is the client's own.
        bits: length of the key.
    """

    bits: int
    server_entropy: bytes | None = field(default=None, repr=False)
    secret: bytes | None = field(default=None, repr=False)


def write_issued(
    request: TokenRequest, key: ContextKey, proof: Proof, created: datetime, expires: datetime, token_id: str
) -> str:
    """The response to a request that issued or renewed a context."""
    version = request.version
    token = security_context_token.write(token_id, key.namespace, key.identifier, key.instance).decode()
    attached = write_local(token_id, version.token_type)
    unattached = write_context(
        key.identifier, version.token_type, instance=key.instance, namespace=key.namespace
    )
    parts = [
        f"<wst:TokenType>{version.token_type}</wst:TokenType>",
        f"<wst:RequestedSecurityToken>{token}</wst:RequestedSecurityToken>",
        f"<wst:RequestedAttachedReference>{attached}</wst:RequestedAttachedReference>",
        f"<wst:RequestedUnattachedReference>{unattached}</wst:RequestedUnattachedReference>",
        write_lifetime(created, expires),
        _write_proof(version, proof),
    ]
    return _wrapped(request, "".join(parts))


def _write_proof(version: TrustVersion, proof: Proof) -> str:
    if proof.server_entropy is not None:
        return (
            f"<wst:RequestedProofToken><wst:ComputedKey>{version.uri('CK/PSHA1')}</wst:ComputedKey>"
            f"</wst:RequestedProofToken><wst:Entropy>{write_secret(version, proof.server_entropy)}"
            f"</wst:Entropy><wst:KeySize>{proof.bits}</wst:KeySize>"
        )
    if proof.secret is not None:
        return f"<wst:RequestedProofToken>{write_secret(version, proof.secret)}</wst:RequestedProofToken>"
    return ""


def write_cancelled(request: TokenRequest) -> str:
    """The response to a cancellation (WS-Trust 1.3, section 6)."""
    return _wrapped(request, "<wst:RequestedTokenCancelled></wst:RequestedTokenCancelled>")


def _wrapped(request: TokenRequest, content: str) -> str:
    version = request.version
    context = "" if request.context is None else f' Context="{escape_attribute(request.context)}"'
    declared = f' xmlns:wst="{version.namespace}"'
    name = "wst:RequestSecurityTokenResponse"
    if not version.collection:
        return f"<{name}{declared}{context}>{content}</{name}>"
    return f"<{name}Collection{declared}><{name}{context}>{content}</{name}></{name}Collection>"


# reading -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Granted:
    """A context that a service gave.

    Attributes:
        key: the context and its key.
        expires: when its life ends, by the service's word; None where it says nothing.
    """

    key: ContextKey
    expires: datetime | None


def read_issued(payload: etree._Element, request: TokenRequest, limits: Limits) -> Granted:
    """Read the response to a request for a context or its renewal.

    Raises:
        WSSecurityError: TRUST_RESPONSE, or a field's own error.
    """
    found = _read(payload, request)
    wrapper = found.get("RequestedSecurityToken")
    if wrapper is None or len(wrapper) != 1 or wrapper[0].tag not in security_context_token.TAGS:
        raise _refused("no SecurityContextToken")
    token = security_context_token.read(wrapper[0], -1, limits)
    secret = _read_key(found, request, limits)
    key = ContextKey(token.identifier, token.instance, token.namespace, secret)
    return Granted(key, _read_expires(found.get("Lifetime"), limits))


def read_cancelled(payload: etree._Element, request: TokenRequest) -> None:
    """Read the response to a cancellation.

    Raises:
        WSSecurityError: TRUST_RESPONSE.
    """
    if "RequestedTokenCancelled" not in _read(payload, request):
        raise _refused("no RequestedTokenCancelled")


def _read(payload: etree._Element, request: TokenRequest) -> Mapping[str, etree._Element]:
    namespace = request.version.namespace
    response = payload
    if payload.tag == f"{{{namespace}}}RequestSecurityTokenResponseCollection":
        if len(payload) != 1:
            raise _refused("not one response")
        response = payload[0]
    if response.tag != f"{{{namespace}}}RequestSecurityTokenResponse":
        raise _refused(response.tag)
    if response.get("Context") not in (None, request.context):
        raise _refused("another Context")
    known = {f"{{{namespace}}}{name}": name for name in _KNOWN}
    found: dict[str, etree._Element] = {}
    for child in response:
        name = known.get(child.tag)
        if name is not None:
            if name in found:
                raise _refused(f"two {name}")
            found[name] = child
        elif child.tag not in _READ_OVER:
            raise _refused(child.tag)
    return found


def _read_key(found: Mapping[str, etree._Element], request: TokenRequest, limits: Limits) -> bytes:
    """WS-Trust 1.3, section 4.4.4: a proof key, a computed key, or what the requestor contributed."""
    version = request.version
    proof = found.get("RequestedProofToken")
    if proof is None:
        if request.entropy is None:
            raise _refused("no key")
        return request.entropy
    child = proof[0] if len(proof) == 1 else None
    if child is not None and child.tag == f"{{{version.namespace}}}BinarySecret":
        return _secret(child, limits)
    if child is None or child.tag != f"{{{version.namespace}}}ComputedKey" or request.entropy is None:
        raise _refused("RequestedProofToken")
    if fields.text(child, limits).strip() != version.uri("CK/PSHA1"):
        raise _refused("ComputedKey")
    entropy = found.get("Entropy")
    if entropy is None or len(entropy) != 1 or entropy[0].tag != f"{{{version.namespace}}}BinarySecret":
        raise _refused("Entropy")
    bits = _read_bits(found.get("KeySize"), request, limits)
    return p_sha1(request.entropy, _secret(entropy[0], limits), bits // 8)


def _secret(element: etree._Element, limits: Limits) -> bytes:
    octets = fields.octets(element, limits)
    if not 16 <= len(octets) <= 128:
        raise _refused("BinarySecret")
    return octets


def _read_bits(element: etree._Element | None, request: TokenRequest, limits: Limits) -> int:
    if element is None:
        return request.key_bits or _DEFAULT_BITS
    text = fields.text(element, limits).strip()
    if not (text.isascii() and text.isdecimal()) or len(text) > 4 or int(text) not in _BITS:
        raise _refused("KeySize")
    return int(text)


def _read_expires(element: etree._Element | None, limits: Limits) -> datetime | None:
    expires = None if element is None else element.find(f"{{{ns.WSU}}}Expires")
    return None if expires is None else parse_time(fields.text(expires, limits))


def _refused(detail: str) -> WSSecurityError:
    return WSSecurityError(Reason.TRUST_RESPONSE, detail)
