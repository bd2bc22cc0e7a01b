"""Secure conversations, derived keys and requests for tokens, one bent message each: L01, L02, L05, L08 to L12."""

import base64
from collections.abc import Callable
from dataclasses import replace as but
from datetime import timedelta

import pytest
from lxml import etree

from tests.attacks.rows import BODY_DATA, LIST, R, Row, changed, check, hostile
from tests.simulator.bend import (
    SECURITY,
    SIGNATURE,
    TIMESTAMP,
    WSU_ID,
    Change,
    attribute,
    bend,
    duplicate,
    every,
    insert,
    one,
    reencrypt,
    remove,
    replace,
    resign,
    secret_of,
    text,
    tree,
)
from tests.simulator.errands import ask, deriving, entropy, lifetime, rst, target
from tests.simulator.world import ECHO, World
from tests.simulator.world import issued as holder
from wsprovider.crypto.derivation import DEFAULT_LABEL, p_sha1
from wsprovider.exchange.initiator import Pending
from wsprovider.exchange.ways import Stage
from wsprovider.header import binary_security_token, derived_key_token, security_context_token
from wsprovider.header import token_reference as str_
from wsprovider.policy.model import DerivedKeys
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns
from wsprovider.words import uris
from wsprovider.words.reasons import Reason
from wsprovider.words.trust import WST_200502, WST_200512

SCT = f"{SECURITY}/*[local-name()='SecurityContextToken']"
IDENTIFIER = f"{SCT}/*[local-name()='Identifier']"
STR = f"{SIGNATURE}/ds:KeyInfo/wsse:SecurityTokenReference"
DATA_STR = f"{BODY_DATA}/ds:KeyInfo/wsse:SecurityTokenReference"
DKT = f"{SECURITY}/*[local-name()='DerivedKeyToken']"
DK = f"({DKT})[1]"
"""That signs; the second one encrypts."""
NONCE = base64.b64encode(bytes(16)).decode()
OLD = {"trust": WST_200502}
EXPLICIT, IMPLIED = DerivedKeys.REQUIRED, DerivedKeys.IMPLIED


# L01: names of contexts ------------------------------------------------------------------------


def _identifier(name: str, reason: Reason, value: str) -> Row:
    return changed(f"L01 Identifier {name}", "15", reason, text(IDENTIFIER, value))


def _named(reference: str) -> Change:
    """No token: the reference names the context itself."""

    def change(root: etree._Element) -> None:
        remove(SCT)(root)
        for found in every(root, "//wsse:SecurityTokenReference"):
            for child in found:
                found.remove(child)
            found.append(etree.fromstring(f'<w:Reference xmlns:w="{ns.WSSE}" {reference}/>'))

    return change


def _somebody_elses(w: World, p: Pending) -> bytes:
    other = w.open(w.make_session())
    assert other.context is not None
    return bend(p.data, text(IDENTIFIER, other.context.identifier), resign(secret=secret_of(p)))


def _of_another_version(w: World, p: Pending) -> bytes:
    """The same context, by the namespace of the other WS-SecureConversation."""
    context = p.context
    assert context is not None
    other = next(one for one in (WST_200502, WST_200512) if one.conversation != context.namespace)
    token = security_context_token.write("other", other.conversation, context.identifier, None)

    def change(root: etree._Element) -> None:
        replace(SCT, token)(root)
        for found in every(root, "//wsse:SecurityTokenReference/wsse:Reference"):
            found.set("URI", "#other")
            found.set("ValueType", other.token_type)

    return bend(p.data, change, resign(secret=secret_of(p)))


NAMES = [
    _identifier("unknown", R.CONTEXT_UNKNOWN, f"urn:wsprovider:context:{32 * '0'}"),
    changed("L01 Identifier guessed", "15", R.CONTEXT_UNKNOWN, lambda root: text(IDENTIFIER, (one(root, IDENTIFIER).text or "")[:-1] + "g")(root)),
    _identifier("of no form", R.CONTEXT_UNKNOWN, "x"),
    _identifier("relative", R.CONTEXT_UNKNOWN, "../context"),
    _identifier("of a site", R.CONTEXT_UNKNOWN, "http://127.0.0.1:1/"),
    _identifier("empty", R.CONTEXT_TOKEN, ""),
    _identifier("of blanks", R.CONTEXT_TOKEN, " \n"),
    _identifier("of 257 characters", R.CONTEXT_TOKEN, "u" * 257),
    _identifier("of 1 MB", R.FIELD_TOO_LONG, "u" * 1_000_000),
    _identifier("that cannot be printed", R.CONTEXT_TOKEN, "urn:\N{RIGHT-TO-LEFT OVERRIDE}x"),
    _identifier("of two lines", R.CONTEXT_TOKEN, "urn:x\nurn:y"),
    changed("L01 two Identifiers", "15", R.DUPLICATE_HEADER_CHILD, duplicate(IDENTIFIER)),
    changed("L01 no Identifier", "15", R.CONTEXT_TOKEN, remove(IDENTIFIER)),
    changed("L01 element in the Identifier", "15", R.MALFORMED_HEADER_CHILD, insert(IDENTIFIER, "<e:x/>")),
    changed("L01 unknown child", "15", R.MALFORMED_HEADER_CHILD, insert(SCT, "<wsc:Cookie/>")),
    changed("L01 Label in the token", "15", R.MALFORMED_HEADER_CHILD, insert(SCT, "<wsc:Label>x</wsc:Label>")),
    changed("L01 unknown attribute", "15", R.MALFORMED_HEADER_CHILD, attribute(SCT, "x", "y")),
    changed("L01 text in the token", "15", R.MALFORMED_HEADER_CHILD, lambda root: setattr(one(root, SCT), "text", "x")),
    changed("L01 two tokens", "15", R.DUPLICATE_HEADER_CHILD, duplicate(SCT), lambda root: one(root, f"({SCT})[2]").set(WSU_ID, "second")),
    changed("L01 Instance that never was", "15", R.CONTEXT_INSTANCE, insert(SCT, "<wsc:Instance>urn:x</wsc:Instance>")),
    changed("L01 Instance empty", "15", R.CONTEXT_TOKEN, insert(SCT, "<wsc:Instance/>")),
    changed("L01 two Instances", "15", R.DUPLICATE_HEADER_CHILD, insert(SCT, "<wsc:Instance>urn:x</wsc:Instance>"), insert(SCT, "<wsc:Instance>urn:x</wsc:Instance>")),
    changed("L01 Identifier of another version", "15", R.MALFORMED_HEADER_CHILD, replace(IDENTIFIER, "<wsc05:Identifier>urn:x</wsc05:Identifier>")),
    changed("L01 by reference, unknown", "15", R.CONTEXT_UNKNOWN, _named('URI="urn:x"')),
    changed("L01 by reference, of another kind", "15", R.UNSUPPORTED_REFERENCE, _named(f'URI="urn:x" ValueType="{uris.ENCRYPTED_KEY}"')),
    changed("L01 by reference, empty", "15", R.UNSUPPORTED_REFERENCE, _named('URI=""')),
    changed("L01 by reference, 1 MB", "15", R.UNSUPPORTED_REFERENCE, _named(f'URI="{"u" * 1_000_000}"')),
    Row("L01 somebody else's Identifier", "15", (R.SIGNATURE_VALUE,), _somebody_elses),
    Row("L01 of another version", "15", (R.CONTEXT_UNKNOWN,), _of_another_version),
    Row("L01 of another version", "15", (R.CONTEXT_UNKNOWN,), _of_another_version, OLD),
]  # fmt: skip


# L02: use without proof ------------------------------------------------------------------------


def _beside_bootstrap(w: World, p: Pending) -> bytes:
    """A call under the bootstrap policy, with the token of a living context."""
    forged = ask(w, Stage.BOOTSTRAP, f'<e:echo xmlns:e="{ECHO}"/>')
    return bend(forged.data, insert(SECURITY, one(tree(p.data), SCT)))


def _unused(w: World, p: Pending) -> bytes:
    forged = ask(w, Stage.BOOTSTRAP, rst("Issue", entropy(bytes(32))))
    return bend(forged.data, insert(SECURITY, one(tree(p.data), SCT)))


def _unsigned(root: etree._Element) -> None:
    remove(SIGNATURE)(root)


def _by_mallory(w: World, p: Pending) -> bytes:
    """Signed by a certificate that is trusted, and the context's token beside it."""
    mallory = holder("client-2")
    token = binary_security_token.write("mallory", mallory.certificate)
    method = f"{SIGNATURE}/ds:SignedInfo/ds:SignatureMethod"
    return bend(
        p.data,
        insert(SECURITY, token, 0),
        replace(f"{STR}/wsse:Reference", f'<wsse:Reference URI="#mallory" ValueType="{uris.X509_V3}"/>'),
        attribute(method, "Algorithm", alg.RSA_SHA256),
        resign(key=mallory.key),
    )


def _two_contexts(*, signing: bool) -> Callable[[World, Pending], bytes]:
    """One context signs, the other one encrypts; the second is named by its identifier."""

    def bent(w: World, p: Pending) -> bytes:
        other = w.open(w.make_session()).context
        assert other is not None
        named = f'<wsse:Reference URI="{other.identifier}" ValueType="{WST_200512.token_type}"/>'
        if signing:
            return bend(p.data, replace(f"{STR}/wsse:Reference", named), resign(secret=other.secret))
        old = secret_of(p)
        return bend(
            p.data,
            lambda root: reencrypt(BODY_DATA, other.secret, _plain(root, old))(root),
            replace(f"{DATA_STR}/wsse:Reference", named),
        )

    return bent


def _plain(root: etree._Element, secret: bytes) -> bytes:
    from tests.simulator.bend import plaintext_of

    return plaintext_of(one(root, BODY_DATA), secret)


def _in_clear(root: etree._Element) -> None:
    replace(BODY_DATA, f'<e:echo xmlns:e="{ECHO}"/>')(root)
    remove(LIST)(root)


PROOFS = [
    Row("L02 beside the bootstrap's signature, by certificate", "11", (R.UNUSED_HEADER_CHILD, R.WRONG_POLICY), _beside_bootstrap),
    Row("L02 beside the bootstrap's signature, by EncryptedKey", "13", (R.UNUSED_HEADER_CHILD, R.WRONG_POLICY), _beside_bootstrap),
    Row("L02 beside the bootstrap's signature, by EncryptedKey", "15", (R.UNUSED_HEADER_CHILD, R.WRONG_POLICY), _beside_bootstrap),
    Row("L02 a token that nothing uses", "11", (R.UNUSED_HEADER_CHILD,), _unused),
    Row("L02 a token that nothing uses", "15", (R.UNUSED_HEADER_CHILD,), _unused),
    Row("L02 signed by a certificate", "9", (R.KEY_KIND,), _by_mallory),
    changed("L02 not signed", "15", R.SIGNATURE_MISSING, _unsigned),
    changed("L02 not signed, nothing encrypted", "9", R.TIMESTAMP_NOT_SIGNED, _unsigned),
    changed("L02 not signed, Body encrypted", "14", R.SIGNATURE_MISSING, _unsigned),
    Row("L02 two contexts, one signs", "15", (R.PROTECTION_KEY,), _two_contexts(signing=True)),
    Row("L02 two contexts, one encrypts", "15", (R.PROTECTION_KEY,), _two_contexts(signing=False)),
    Row("L02 two contexts, one encrypts", "14", (R.PROTECTION_KEY,), _two_contexts(signing=False)),
    hostile("L02 Body in clear", "15", R.WRONG_POLICY, _in_clear),
]  # fmt: skip


# L08 to L10: derived keys ----------------------------------------------------------------------


def dk(name: str, reason: Reason | tuple[Reason, ...], *several: Change, scenario: str = "15") -> Row:
    return but(changed(name, scenario, reason, *several), policy=deriving(scenario, EXPLICIT))


def implied(name: str, reason: Reason | tuple[Reason, ...], *several: Change, scenario: str = "15") -> Row:
    return but(changed(name, scenario, reason, *several), policy=deriving(scenario, IMPLIED))


def _number(name: str, value: str, which: str = "Length") -> Row:
    return dk(f"L08 {which} {name}", R.DERIVED_KEY, text(f"{DK}/wsc:{which}", value))


def _generation(value: str, *others: Change) -> list[Change]:
    return [remove(f"{DK}/wsc:Offset"), insert(DK, f"<wsc:Generation>{value}</wsc:Generation>", 1), *others]


def _source(name: str, reason: Reason, child: str) -> Row:
    return dk(f"L10 {name}", reason, replace(f"{DK}/wsse:SecurityTokenReference/*", child))


def _own(which: int) -> Change:
    """The first DerivedKeyToken names a DerivedKeyToken."""
    return lambda root: one(root, f"{DK}/wsse:SecurityTokenReference/wsse:Reference").set(
        "URI", f"#{one(root, f'({DKT})[{which}]').get(WSU_ID)}"
    )


def _timestamp(root: etree._Element) -> None:
    found = one(root, f"{DK}/wsse:SecurityTokenReference/wsse:Reference")
    found.set("URI", f"#{one(root, TIMESTAMP).get(WSU_ID)}")


def _other_namespace(root: etree._Element) -> None:
    """The DerivedKeyToken of the other version, right otherwise."""
    found = one(root, DK)
    named = etree.tostring(found).decode().replace(ns.WSC_200512, ns.WSC_200502)
    replace(DK, etree.fromstring(named))(root)


def _implied(name: str, value: str | None, namespace: str = ns.WSC_200512) -> Change:
    return attribute(STR, f"{{{namespace}}}{name}", value)


DERIVED = [
    *(_number(value or "empty", value) for value in ("", "0", "-1", "1", "15", "65", "1000000000", "x", "3 2", "0x20", "1e1", "٣٢")),
    *(_number(value, value, "Offset") for value in ("-1", "1001", "1024", "1000000000", "2147483648", "x")),
    *(dk(f"L08 Generation {value}", R.DERIVED_KEY, *_generation(value)) for value in ("-1", "257", "2147483648", "999999", "x", "42")),
    dk("L08 Generation and Offset", R.DERIVED_KEY, insert(DK, "<wsc:Generation>0</wsc:Generation>", 1)),
    dk("L08 two Lengths", R.DUPLICATE_HEADER_CHILD, duplicate(f"{DK}/wsc:Length")),
    dk("L08 two Offsets", R.DUPLICATE_HEADER_CHILD, duplicate(f"{DK}/wsc:Offset")),
    dk("L08 another Offset", R.SIGNATURE_VALUE, text(f"{DK}/wsc:Offset", "1")),
    dk("L08 another Generation", R.SIGNATURE_VALUE, *_generation("1")),
    dk("L08 another Length", R.SIGNATURE_VALUE, text(f"{DK}/wsc:Length", "16")),
    dk("L08 Length that the cipher does not take", R.DECRYPTION, text(f"({DKT})[2]/wsc:Length", "16")),
    dk("L09 another Algorithm", R.UNSUPPORTED_ALGORITHM, attribute(DK, "Algorithm", "urn:x")),
    dk("L09 Algorithm empty", R.UNSUPPORTED_ALGORITHM, attribute(DK, "Algorithm", "")),
    dk("L09 Label empty", R.DERIVED_KEY, insert(DK, "<wsc:Label/>", 1)),
    dk("L09 Label of 257 bytes", R.DERIVED_KEY, insert(DK, f"<wsc:Label>{'x' * 257}</wsc:Label>", 1)),
    dk("L09 Label of 258 bytes in 129 characters", R.DERIVED_KEY, insert(DK, f"<wsc:Label>{'é' * 129}</wsc:Label>", 1)),
    dk("L09 Label of 1 MB", R.FIELD_TOO_LONG, insert(DK, f"<wsc:Label>{'x' * 1_000_000}</wsc:Label>", 1)),
    dk("L09 another Label", R.SIGNATURE_VALUE, insert(DK, "<wsc:Label>x</wsc:Label>", 1)),
    dk("L09 no Nonce", R.DERIVED_KEY, remove(f"{DK}/wsc:Nonce")),
    dk("L09 two Nonces", R.DUPLICATE_HEADER_CHILD, duplicate(f"{DK}/wsc:Nonce")),
    *(dk(f"L09 Nonce of {size} bytes", R.DERIVED_KEY, text(f"{DK}/wsc:Nonce", base64.b64encode(bytes(size)).decode())) for size in (0, 1, 15, 129)),
    dk("L09 Nonce of no Base64", R.MALFORMED_BASE64, text(f"{DK}/wsc:Nonce", "AAA!")),
    dk("L09 another Nonce", R.SIGNATURE_VALUE, text(f"{DK}/wsc:Nonce", NONCE)),
    dk("L09 of another version than its context", R.DERIVED_KEY, _other_namespace),
    dk("L09 Properties", R.MALFORMED_HEADER_CHILD, insert(DK, "<wsc:Properties/>")),
    dk("L09 Nonce of another version", R.MALFORMED_HEADER_CHILD, replace(f"{DK}/wsc:Nonce", f"<wsc05:Nonce>{NONCE}</wsc05:Nonce>")),
    dk("L10 no source", R.DERIVED_KEY, remove(f"{DK}/wsse:SecurityTokenReference")),
    dk("L10 a derived key", R.DERIVATION_SOURCE, _own(2)),
    dk("L10 itself", R.DERIVATION_SOURCE, _own(1)),
    dk("L10 the Timestamp", R.DERIVATION_SOURCE, _timestamp),
    dk("L10 derived twice", R.DERIVATION_SOURCE, attribute(f"{DK}/wsse:SecurityTokenReference", f"{{{ns.WSC_200512}}}Nonce", NONCE)),
    _source("not there", R.UNRESOLVED_REFERENCE, '<wsse:Reference URI="#x"/>'),
    _source("an unknown context", R.CONTEXT_UNKNOWN, '<wsse:Reference URI="urn:x"/>'),
    _source("an unknown EncryptedKey", R.UNRESOLVED_REFERENCE, f'<wsse:KeyIdentifier ValueType="{uris.ENCRYPTED_KEY_SHA1}">AAAA</wsse:KeyIdentifier>'),
    _source("a certificate's thumbprint", R.DERIVATION_SOURCE, f'<wsse:KeyIdentifier ValueType="{uris.THUMBPRINT_SHA1}">AAAA</wsse:KeyIdentifier>'),
    _source("a KeyName", R.UNSUPPORTED_REFERENCE, "<ds:KeyName>x</ds:KeyName>"),
    dk("L10 a certificate of the message", R.DERIVATION_SOURCE, insert(SECURITY, binary_security_token.write("b", holder("client").certificate), 0), attribute(f"{DK}/wsse:SecurityTokenReference/wsse:Reference", "URI", "#b")),
    implied("L08 implied, no Nonce", R.DERIVED_KEY, _implied("Nonce", None)),
    *(implied(f"L08 implied, Length {value or 'empty'}", R.DERIVED_KEY, _implied("Length", value)) for value in ("", "0", "-1", "15", "65", "1000000000", "x", "٣٢")),
    implied("L08 implied, another Length", R.SIGNATURE_VALUE, _implied("Length", "16")),
    implied("L09 implied, Nonce of 15 bytes", R.DERIVED_KEY, _implied("Nonce", base64.b64encode(bytes(15)).decode())),
    implied("L09 implied, Nonce of 129 bytes", R.DERIVED_KEY, _implied("Nonce", base64.b64encode(bytes(129)).decode())),
    implied("L09 implied, Nonce of 1 MB", R.DERIVED_KEY, _implied("Nonce", "A" * 1_000_000)),
    implied("L09 implied, Nonce of no Base64", R.MALFORMED_BASE64, _implied("Nonce", "AAA!")),
    implied("L09 implied, another Nonce", R.SIGNATURE_VALUE, _implied("Nonce", NONCE)),
    implied("L09 implied, of both versions", R.DERIVED_KEY, _implied("Nonce", NONCE, ns.WSC_200502)),
    implied("L09 implied, of another version", R.DERIVED_KEY, _implied("Nonce", None), _implied("Length", None), _implied("Nonce", NONCE, ns.WSC_200502)),
    implied("L09 implied, Offset", R.MALFORMED_HEADER_CHILD, _implied("Offset", "0")),
    implied("L10 implied, of an unknown token", R.UNRESOLVED_REFERENCE, attribute(f"{STR}/wsse:Reference", "URI", "#x")),
    implied("L10 implied, of the Timestamp", R.UNSUPPORTED_REFERENCE, lambda root: one(root, f"{STR}/wsse:Reference").set("URI", f"#{one(root, TIMESTAMP).get(WSU_ID)}")),
    implied("L10 implied, of a certificate", R.DERIVATION_SOURCE, replace(f"{STR}/wsse:Reference", f'<wsse:KeyIdentifier ValueType="{uris.THUMBPRINT_SHA1}">AAAA</wsse:KeyIdentifier>')),
    dk("L10 implied, of a derived key", R.DERIVATION_SOURCE, attribute(STR, f"{{{ns.WSC_200512}}}Nonce", NONCE)),
]  # fmt: skip


# L11: one key for two purposes -----------------------------------------------------------------


def _one_token(w: World, p: Pending) -> bytes:
    """The key that signs encrypts as well; the other token goes."""
    return bend(
        p.data,
        _with_the_key_that_signs(p),
        lambda root: one(root, f"{DATA_STR}/wsse:Reference").set("URI", f"#{one(root, DK).get(WSU_ID)}"),
        remove(f"({DKT})[2]"),
    )


def _same_nonce(w: World, p: Pending) -> bytes:
    """Two tokens, one key; the one that signs is shorter."""

    def change(root: etree._Element) -> None:
        first, second = one(root, DK), one(root, f"({DKT})[2]")
        plaintext = _plain(root, _derived(second, p))
        text("wsc:Nonce", one(first, "wsc:Nonce").text or "")(second)
        reencrypt(BODY_DATA, _derived(second, p), plaintext)(root)

    return bend(p.data, change)


def _with_the_key_that_signs(p: Pending) -> Change:
    def change(root: etree._Element) -> None:
        first, second = one(root, DK), one(root, f"({DKT})[2]")
        text("wsc:Length", "32")(first)
        reencrypt(BODY_DATA, _derived(first, p), _plain(root, _derived(second, p)))(root)
        resign(secret=_derived(first, p), digests=False)(root)

    return change


def _same_implied_nonce(w: World, p: Pending) -> bytes:
    root = tree(p.data)
    name = f"{{{ns.WSC_200512}}}Nonce"
    nonce = one(root, STR).get(name, "")
    signing = p_sha1(secret_of(p), DEFAULT_LABEL + base64.b64decode(nonce), 32)
    old = one(root, DATA_STR).get(name, "")
    encrypting = p_sha1(secret_of(p), DEFAULT_LABEL + base64.b64decode(old), 32)
    return bend(
        p.data,
        lambda root: reencrypt(BODY_DATA, signing, _plain(root, encrypting))(root),
        attribute(DATA_STR, name, nonce),
    )


def _derived(token: etree._Element, p: Pending) -> bytes:
    nonce = base64.b64decode(one(token, "wsc:Nonce").text or "")
    return p_sha1(secret_of(p), DEFAULT_LABEL + nonce, int(one(token, "wsc:Length").text or ""))


def _not_derived(w: World, p: Pending) -> bytes:
    """The context's own key signs where the policy wants a derived one."""
    return bend(
        p.data,
        lambda root: one(root, f"{STR}/wsse:Reference").set("URI", f"#{one(root, SCT).get(WSU_ID)}"),
        remove(DK),
        resign(secret=secret_of(p)),
    )


def _not_derived_encryption(w: World, p: Pending) -> bytes:
    encrypting = _derived(one(tree(p.data), f"({DKT})[2]"), p)
    return bend(
        p.data,
        lambda root: reencrypt(BODY_DATA, secret_of(p), _plain(root, encrypting))(root),
        lambda root: one(root, f"{DATA_STR}/wsse:Reference").set("URI", f"#{one(root, SCT).get(WSU_ID)}"),
        remove(f"({DKT})[2]"),
    )


def _unused_token(w: World, p: Pending) -> bytes:
    named = str_.write_local(one(tree(p.data), SCT).get(WSU_ID, ""), WST_200512.token_type)
    return bend(
        p.data, insert(SECURITY, derived_key_token.write("DK-x", ns.WSC_200512, named, 32, bytes(16)))
    )


def _reflected(w: World, p: Pending) -> bytes:
    return w.reply(w.accept(w.request("another").data))


PURPOSES = [
    Row("L11 one token for both", "15", (R.ONE_DERIVED_KEY,), _one_token, policy=deriving("15", EXPLICIT)),
    Row("L11 two tokens, one key", "15", (R.ONE_DERIVED_KEY,), _same_nonce, policy=deriving("15", EXPLICIT)),
    Row("L11 implied, one key for both", "15", (R.ONE_DERIVED_KEY,), _same_implied_nonce, policy=deriving("15", IMPLIED)),
    Row("L11 the context's own key signs", "15", (R.DERIVED_KEYS_REQUIRED,), _not_derived, policy=deriving("15", EXPLICIT)),
    Row("L11 the context's own key encrypts", "15", (R.DERIVED_KEYS_REQUIRED,), _not_derived_encryption, policy=deriving("15", EXPLICIT)),
    Row("L11 a derived key that nothing uses", "15", (R.UNUSED_HEADER_CHILD,), _unused_token),
    *(Row("L11 our own reply as request", scenario, (R.REPLAY,), _reflected) for scenario in ("9", "11", "12", "15")),
]  # fmt: skip


# L05 and L12: requests for tokens --------------------------------------------------------------


def asked(
    name: str,
    reason: Reason | tuple[Reason, ...],
    inner: str | Callable[[World], str],
    *,
    scenario: str = "15",
    kind: str | None = "Issue",
    attributes: str = "",
    old: bool = False,
) -> Row:
    version = WST_200502 if old else WST_200512

    def bent(w: World, p: Pending) -> bytes:
        content = inner if isinstance(inner, str) else inner(w)
        return ask(w, Stage.BOOTSTRAP, rst(kind, content, version=version, attributes=attributes)).data

    reasons = reason if isinstance(reason, tuple) else (reason,)
    return Row(name, scenario, reasons, bent, OLD if old else {})


def both(name: str, reason: Reason | tuple[Reason, ...], inner: str | Callable[[World], str]) -> list[Row]:
    """In both versions of WS-Trust, by a certificate and by a password."""
    return [asked(name, reason, inner, scenario="11"), asked(name, reason, inner, old=True)]


def _to(address: str) -> str:
    return (
        f"<wsp:AppliesTo><wsa:EndpointReference><wsa:Address>{address}</wsa:Address>"
        "</wsa:EndpointReference></wsp:AppliesTo>"
    )


def _mixed(w: World) -> str:
    return f'<x:Entropy xmlns:x="{ns.WST_200502}"/>'


E = entropy(bytes(range(32)))
ISSUED = WST_200512.uri("Issue")
REQUESTS = [
    *both("L05 Identifier of the client's choice", R.TRUST_UNSUPPORTED, "<wsc:Identifier>urn:x</wsc:Identifier>"),
    *both("L05 token of the client's making", R.TRUST_UNSUPPORTED, "<wsc:SecurityContextToken><wsc:Identifier>urn:x</wsc:Identifier></wsc:SecurityContextToken>"),
    *both("L05 RequestedProofToken", R.TRUST_UNSUPPORTED, "<wst:RequestedProofToken/>"),
    *both("L05 ProofEncryption", R.TRUST_UNSUPPORTED, "<wst:ProofEncryption/>"),
    *(asked(f"L05 KeySize {size or 'empty'}", R.TRUST_REQUEST, f"<wst:KeySize>{size}</wst:KeySize>") for size in ("", "0", "-1", "63", "4097", "1000000000", "x", "25 6", "2e2", "٢٥٦")),
    *(asked(f"L05 Entropy of {size} bytes", R.TRUST_REQUEST, entropy(bytes(size))) for size in (0, 1, 15, 257)),
    asked("L05 Entropy of 1 MB", R.FIELD_TOO_LONG, entropy(bytes(750_000))),
    asked("L05 Entropy of no Base64", R.MALFORMED_BASE64, "<wst:Entropy><wst:BinarySecret>AAA!</wst:BinarySecret></wst:Entropy>"),
    asked("L05 Entropy empty", R.TRUST_UNSUPPORTED, "<wst:Entropy/>"),
    asked("L05 two Entropies", R.TRUST_REQUEST, E + E),
    asked("L05 two BinarySecrets", R.TRUST_UNSUPPORTED, E.replace("</wst:Entropy>", "<wst:BinarySecret>AAAA</wst:BinarySecret></wst:Entropy>")),
    asked("L05 Entropy of a whole key", R.TRUST_UNSUPPORTED, entropy(bytes(32), "SymmetricKey")),
    asked("L05 Entropy of a private key", R.TRUST_UNSUPPORTED, entropy(bytes(32), "AsymmetricKey")),
    asked("L05 Entropy in an EncryptedKey", R.TRUST_UNSUPPORTED, '<wst:Entropy><x:EncryptedKey xmlns:x="http://www.w3.org/2001/04/xmlenc#"/></wst:Entropy>'),
    asked("L05 Entropy of another version", R.TRUST_UNSUPPORTED, _mixed),
    *both("L12 AppliesTo another service", R.TRUST_APPLIES_TO, _to("http://service.example.org/other")),
    asked("L12 AppliesTo nothing", R.TRUST_REQUEST, _to("")),
    asked("L12 AppliesTo empty", R.TRUST_REQUEST, "<wsp:AppliesTo/>"),
    asked("L12 AppliesTo of no address", R.TRUST_REQUEST, "<wsp:AppliesTo><wsa:EndpointReference><wsa:To/></wsa:EndpointReference></wsp:AppliesTo>"),
    asked("L12 AppliesTo of a policy", R.TRUST_REQUEST, "<wsp:AppliesTo><wsp:Policy/></wsp:AppliesTo>"),
    asked("L12 AppliesTo of two", R.TRUST_REQUEST, _to("http://h/echo").replace("</wsp:AppliesTo>", "<wsa:EndpointReference/></wsp:AppliesTo>")),
    asked("L12 AppliesTo of 2049 characters", R.TRUST_REQUEST, _to("http://h/" + "x" * 2040)),
    asked("L12 two AppliesTo", R.TRUST_REQUEST, _to("http://h/echo") * 2),
    asked("L12 two AppliesTo, one of WS-Policy 1.5", R.TRUST_REQUEST, _to("http://h/echo") + _to("http://h/echo").replace("<wsp:AppliesTo", f'<wsp:AppliesTo xmlns:wsp="{ns.WSP_15}"')),
    *both("L12 TokenType unknown", R.TRUST_UNSUPPORTED, "<wst:TokenType>urn:x</wst:TokenType>"),
    asked("L12 TokenType of another version", R.TRUST_UNSUPPORTED, f"<wst:TokenType>{WST_200502.token_type}</wst:TokenType>"),
    asked("L12 TokenType of SAML", R.TRUST_UNSUPPORTED, "<wst:TokenType>http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0</wst:TokenType>"),
    asked("L12 two TokenTypes", R.TRUST_REQUEST, f"<wst:TokenType>{WST_200512.token_type}</wst:TokenType>" * 2),
    *(asked(f"L12 KeyType {name}", R.TRUST_UNSUPPORTED, f"<wst:KeyType>{WST_200512.uri(name)}</wst:KeyType>") for name in ("Bearer", "PublicKey", "")),
    *both("L12 ComputedKeyAlgorithm", R.TRUST_UNSUPPORTED, "<wst:ComputedKeyAlgorithm>urn:x</wst:ComputedKeyAlgorithm>"),
    asked("L12 ComputedKeyAlgorithm HASH", R.TRUST_UNSUPPORTED, f"<wst:ComputedKeyAlgorithm>{WST_200512.uri('CK/HASH')}</wst:ComputedKeyAlgorithm>"),
    *(asked(f"L12 Lifetime {name}", reason, lambda w, span=span: lifetime(w, span)) for name, reason, span in (("negative", R.TRUST_REQUEST, timedelta(days=-1)), ("of nothing", R.TRUST_REQUEST, timedelta()))),
    asked("L12 Lifetime without an end", R.TRUST_REQUEST, "<wst:Lifetime><wsu:Created>2026-06-01T12:00:00Z</wsu:Created></wst:Lifetime>"),
    asked("L12 Lifetime without a beginning", R.TRUST_REQUEST, "<wst:Lifetime><wsu:Expires>2026-06-01T12:00:00Z</wsu:Expires></wst:Lifetime>"),
    asked("L12 Lifetime empty", R.TRUST_REQUEST, "<wst:Lifetime/>"),
    asked("L12 Lifetime of no time", R.TIMESTAMP_MALFORMED, "<wst:Lifetime><wsu:Created>x</wsu:Created><wsu:Expires>y</wsu:Expires></wst:Lifetime>"),
    *(row for name in ("OnBehalfOf", "ActAs", "UseKey", "Claims", "Participants", "AllowPostdating", "Delegatable", "Forwardable", "DelegateTo", "Encryption", "KeyExchangeToken", "RequestKET", "Issuer", "AuthenticationType", "Policy", "Base", "SecondaryParameters", "RequestSecurityToken") for row in both(f"L12 {name}", R.TRUST_UNSUPPORTED, f"<wst:{name}/>")),
    asked("L12 ActAs of WS-Trust 1.4", R.TRUST_UNSUPPORTED, '<x:ActAs xmlns:x="http://docs.oasis-open.org/ws-sx/ws-trust/200802"/>'),
    asked("L12 Policy", R.TRUST_UNSUPPORTED, "<wsp:Policy/>"),
    asked("L12 unknown child", R.TRUST_UNSUPPORTED, f'<e:x xmlns:e="{ECHO}"/>'),
    asked("L12 many claims", R.TRUST_UNSUPPORTED, f"<wst:Claims>{'<wst:x/>' * 1000}</wst:Claims>"),
    asked("L12 text", R.MALFORMED_HEADER_CHILD, "x"),
    asked("L12 unknown attribute", R.MALFORMED_HEADER_CHILD, E, attributes=' x="y"'),
    asked("L12 Context of 2049 characters", R.TRUST_REQUEST, E, attributes=f' Context="{"x" * 2049}"'),
    asked("L12 Context of two lines", R.TRUST_REQUEST, E, attributes=' Context="x&#10;y"'),
    asked("L12 no RequestType", (R.NOT_AN_INPUT, R.WRONG_POLICY), E, kind=None),
    *(asked(f"L12 RequestType {kind}", (R.NOT_AN_INPUT, R.WRONG_POLICY), E, kind=kind) for kind in ("Validate", "KET", "BatchIssue", "issue", "", "STSCancel", "Amend")),
    asked("L12 RequestType of another version", (R.NOT_AN_INPUT, R.WRONG_POLICY), f"<wst:RequestType>{WST_200502.uri('Issue')}</wst:RequestType>", kind=None),
    asked("L12 two RequestTypes", R.TRUST_REQUEST, f"<wst:RequestType>{ISSUED}</wst:RequestType>"),
    asked("L12 two RequestTypes, two kinds", R.TRUST_REQUEST, f"<wst:RequestType>{WST_200512.uri('Cancel')}</wst:RequestType>"),
    asked("L12 issued with a target", R.TRUST_REQUEST, lambda w: E + target("Cancel", w.session.context)),
    asked("L12 renewed without a target", R.TRUST_REQUEST, E, kind="Renew"),
    asked("L12 renewed with the other target", R.TRUST_REQUEST, lambda w: target("Cancel", w.session.context), kind="Renew"),
    asked("L12 renewed with both targets", R.TRUST_REQUEST, lambda w: target("Renew", w.session.context) + target("Cancel", w.session.context).replace('"target"', '"other"'), kind="Renew"),
    asked("L12 cancelled without a target", R.TRUST_REQUEST, "", kind="Cancel"),
    asked("L12 target empty", R.TRUST_UNSUPPORTED, "<wst:CancelTarget/>", kind="Cancel"),
    asked("L12 target of two tokens", R.TRUST_UNSUPPORTED, lambda w: target("Cancel", w.session.context).replace("</wst:CancelTarget>", "<wsc:SecurityContextToken/></wst:CancelTarget>"), kind="Cancel"),
    asked("L12 target of another kind", R.TRUST_UNSUPPORTED, "<wst:CancelTarget><wsse:UsernameToken/></wst:CancelTarget>", kind="Cancel"),
    asked("L12 target by thumbprint", R.TRUST_UNSUPPORTED, f'<wst:CancelTarget><wsse:SecurityTokenReference><wsse:KeyIdentifier ValueType="{uris.THUMBPRINT_SHA1}">AAAA</wsse:KeyIdentifier></wsse:SecurityTokenReference></wst:CancelTarget>', kind="Cancel"),
    asked("L12 target not in the header", R.CONTEXT_UNKNOWN, '<wst:CancelTarget><wsse:SecurityTokenReference><wsse:Reference URI="#x"/></wsse:SecurityTokenReference></wst:CancelTarget>', kind="Cancel"),
    Row("L12 several requests", "15", (R.DECRYPTED_STRUCTURE,), lambda w, _: ask(w, Stage.BOOTSTRAP, rst("Issue", E) * 2).data),
    Row("L12 a collection", "15", (R.NOT_AN_INPUT, R.WRONG_POLICY), lambda w, _: ask(w, Stage.BOOTSTRAP, f'<wst:RequestSecurityTokenCollection xmlns:wst="{ns.WST_200512}">{rst("Issue", E)}</wst:RequestSecurityTokenCollection>').data),
    Row("L12 a response", "15", (R.NOT_AN_INPUT, R.WRONG_POLICY), lambda w, _: ask(w, Stage.BOOTSTRAP, f'<wst:RequestSecurityTokenResponse xmlns:wst="{ns.WST_200512}"/>').data),
]  # fmt: skip

CONVERSATIONS = [*NAMES, *PROOFS, *DERIVED, *PURPOSES, *REQUESTS]


@pytest.mark.parametrize("row", CONVERSATIONS, ids=str)
def test_is_refused(row):
    check(row)
