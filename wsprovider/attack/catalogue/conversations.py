"""Group L: security contexts, and the requests for them."""

import copy
from collections.abc import Callable
from typing import Final

from lxml import etree

from wsprovider.attack.bend import (
    SECURITY,
    WSU_ID,
    Unbendable,
    attribute,
    bend,
    duplicate,
    element,
    every,
    insert,
    one,
    remove,
    text,
    within,
)
from wsprovider.attack.caller import Genuine, Step
from wsprovider.attack.variants import (
    SCT,
    Answers,
    Variant,
    built,
    changed,
    content,
    emptied,
    only,
)
from wsprovider.exchange.ways import Stage
from wsprovider.header import security_context_token
from wsprovider.words import namespaces as ns
from wsprovider.words import uris
from wsprovider.words.trust import WST_200502, WST_200512

_DOCUMENTED = Answers.DOCUMENTED
_IDENTIFIER: Final = f"{SCT}/*[local-name()='Identifier']"
_BINARY: Final = "//*[local-name()='BinarySecret']"
_RST: Final = f"{{{WST_200512.namespace}}}"


def _identifier(what: str, value: str) -> Variant:
    return changed("L01", f"Identifier {what}", text(_IDENTIFIER, value), answers=_DOCUMENTED)


def _guessed(root: etree._Element) -> None:
    found = one(root, _IDENTIFIER)
    known = found.text or ""
    found.text = f"{known[:-1]}{'0' if known[-1:] != '0' else '1'}"


def _named(uri: str) -> Callable[[etree._Element], None]:
    """No token: references name the context themselves."""

    def change(root: etree._Element) -> None:
        remove(SCT)(root)
        for found in every(root, "//wsse:SecurityTokenReference"):
            found[:] = [element(f'<wsse:Reference URI="{uri}"/>')]

    return change


def _other_version(root: etree._Element) -> None:
    """The same context, by the namespace of the other WS-SecureConversation."""
    token = one(root, SCT)
    ours = token.tag[1:].partition("}")[0]
    other = WST_200502 if ours == WST_200512.conversation else WST_200512
    identifier = one(root, _IDENTIFIER).text or ""
    written = security_context_token.write("other", other.conversation, identifier, None)
    for found in every(root, f"//wsse:Reference[@URI='#{token.get(WSU_ID)}']"):
        found.set("URI", "#other")
        found.set("ValueType", other.token_type)
    within(token).replace(token, etree.fromstring(written))


def _bootstrapped(genuine: Genuine) -> bytes:
    """A call under the bootstrap policy, without a context."""
    if not genuine.caller.conversing:
        raise Unbendable("no conversation")
    return genuine.caller.protect(Step.CALL, genuine.caller.ourselves.body(), stage=Stage.BOOTSTRAP).data


def _beside(genuine: Genuine) -> bytes:
    """The same, with the token of the living context beside its signature."""
    token = copy.deepcopy(one(genuine.root, SCT))
    return bend(_bootstrapped(genuine), insert(SECURITY, token))


def _signed_only(genuine: Genuine) -> bytes:
    """A call as only the end of a context may be protected: nothing is encrypted."""
    if not genuine.caller.conversing or genuine.requirements.encrypted.empty:
        raise Unbendable("nothing is encrypted")
    return genuine.caller.protect(Step.CALL, genuine.caller.ourselves.body(), stage=Stage.MANAGEMENT).data


CONTEXTS = only(Step.CALL, [
    _identifier("unknown", f"urn:wsprovider:context:{32 * '0'}"),
    changed("L01", "Identifier guessed", _guessed, answers=_DOCUMENTED),
    _identifier("of no form", "x"),
    _identifier("relative", "../context"),
    _identifier("of a site", "HTTP://127.0.0.1:1/"),
    _identifier("empty", ""),
    _identifier("of blanks", " \n"),
    _identifier("too long", "u" * 257),
    _identifier("of a hundred thousand characters", "u" * 100_000),
    _identifier("that cannot be printed", "urn:\N{RIGHT-TO-LEFT OVERRIDE}x"),
    changed("L01", "two Identifiers", duplicate(_IDENTIFIER), answers=_DOCUMENTED),
    changed("L01", "no Identifier", remove(_IDENTIFIER), answers=_DOCUMENTED),
    changed("L01", "an element in the Identifier", insert(_IDENTIFIER, "<x:x/>"), answers=_DOCUMENTED),
    changed("L01", "a Cookie", insert(SCT, "<wsc:Cookie/>"), answers=_DOCUMENTED),
    changed("L01", "an unknown attribute", attribute(SCT, "x", "y"), answers=_DOCUMENTED),
    changed("L01", "two tokens", duplicate(SCT), answers=_DOCUMENTED),
    changed("L01", "an Instance that never was", insert(SCT, "<wsc:Instance>urn:x</wsc:Instance>"), answers=_DOCUMENTED),
    changed("L01", "by reference, unknown", _named("urn:x"), answers=_DOCUMENTED),
    changed("L01", "by reference, empty", _named(""), answers=_DOCUMENTED),
    changed("L01", "the other version's token", _other_version, answers=_DOCUMENTED),
    changed("L02", "the token taken away", remove(SCT), answers=_DOCUMENTED),
    built("L02", "a call under the bootstrap policy", _bootstrapped, _DOCUMENTED),
    built("L02", "such a call with the context's token beside", _beside, _DOCUMENTED),
    built("L02", "a call as only the context's end may be", _signed_only, _DOCUMENTED),
])  # fmt: skip
"""Rows of contexts."""


def _said(name: str, value: str) -> Callable[[etree._Element], None]:
    """A child of the request says something else."""

    def change(body: etree._Element) -> None:
        found = body[0].find(f"{_RST}{name}")
        if found is None:
            found = etree.SubElement(body[0], f"{_RST}{name}")
        found.text = value

    return change


def _child(name: str, content_: str = "", attributes: str = "") -> Callable[[etree._Element], None]:
    xml = f'<w:{name} xmlns:w="{WST_200512.namespace}" xmlns:wsu="{ns.WSU}"{attributes}>{content_}</w:{name}>'
    return lambda body: body[0].append(etree.fromstring(xml))


OPENINGS = only(Step.OPENING, [
    *(content("L11", f"RequestType {name}", _said("RequestType", value)) for name, value in {
        "unknown": "urn:x", "empty": "", "Validate": WST_200512.uri("Validate"), "Renew, of nothing": WST_200512.uri("Renew"),
        "Cancel, of nothing": WST_200512.uri("Cancel"),
    }.items()),
    content("L11", "TokenType of a certificate", _said("TokenType", uris.X509_V3)),
    content("L11", "KeyType public", _said("KeyType", WST_200512.uri("PublicKey"))),
    *(content("L11", f"KeySize {value}", _said("KeySize", value)) for value in ("0", "8", "-1", "1000000000", "x")),
    content("L11", "an empty Entropy", emptied("//*[local-name()='Entropy']")),
    content("L11", "Entropy of one byte", text(_BINARY, "AA==")),
    content("L11", "Entropy of no Base64", text(_BINARY, "!")),
    content("L12", "OnBehalfOf", _child("OnBehalfOf")),
    content("L12", "ActAs", _child("ActAs")),
    content("L12", "UseKey", _child("UseKey")),
    content("L12", "a CancelTarget", _child("CancelTarget")),
    content("L12", "a Lifetime that has gone", _child("Lifetime", "<wsu:Created>2020-01-02T00:00:00Z</wsu:Created><wsu:Expires>2020-01-01T00:00:00Z</wsu:Expires>")),
    content("L12", "two RequestType", lambda body: body[0].append(copy.deepcopy(body[0][0]))),
    content("L12", "an unknown attribute", lambda body: body[0].set("x", "y")),
    content("L12", "a long Context", lambda body: body[0].set("Context", "c" * 5_000)),
    content("L12", "the request in another namespace", lambda body: setattr(body[0], "tag", "{urn:x}RequestSecurityToken")),
    changed("L02", "a context's token beside", insert(SECURITY, f'<wsc:SecurityContextToken wsu:Id="c"><wsc:Identifier>urn:wsprovider:context:{32 * "0"}</wsc:Identifier></wsc:SecurityContextToken>'), answers=_DOCUMENTED),
    changed("C01", "wsa:Action of another request", lambda root: setattr(one(root, "//wsa:Action"), "text", WST_200512.uri("RST/SCT/Cancel")), answers=_DOCUMENTED),
])  # fmt: skip
"""Rows of requests for contexts."""
