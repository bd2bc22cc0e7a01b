"""The SOAP layer: C01 to C10."""

import pytest

from tests.attacks.rows import (
    INFO,
    R,
    Row,
    _only_a_comment,
    beside,
    by_text,
    changed,
    check,
    hostile,
    raw,
)
from tests.simulator.bend import (
    BODY,
    HEADER,
    SECURITY,
    WSU_ID,
    attribute,
    insert,
    move,
    one,
    text,
)
from tests.simulator.world import ECHO
from wsprovider.words import namespaces as ns
from wsprovider.words import uris

SOAP = [
    Row("C01 SOAPAction of another operation", "3", (R.ACTION_MISMATCH,), lambda _, p: p.data, accept={"action": f"{ECHO}/erase"}),
    changed("C01 wsa:Action of another operation", "3", R.ACTION_MISMATCH, beside(f"<wsa:Action>{ECHO}/erase</wsa:Action>")),
    changed("C02 unknown header", "3", R.NOT_UNDERSTOOD, beside('<e:x s:mustUnderstand="1"/>')),
    changed("C02 not a boolean", "3", R.SOAP_STRUCTURE, beside('<e:x s:mustUnderstand="yes"/>')),
    changed("C03 two Body", "3", (R.SOAP_STRUCTURE,), insert("/*", "<s:Body/>")),
    changed("C03 two Body, first", "3", (R.SOAP_STRUCTURE,), insert("/*", "<s:Body/>", 1)),
    changed("C03 two Header", "3", R.SOAP_STRUCTURE, insert("/*", "<s:Header/>", 0)),
    changed("C03 Header behind Body", "3", R.SOAP_STRUCTURE, move(HEADER, "/*")),
    changed("C03 two payloads", "3", R.SOAP_STRUCTURE, insert(BODY, "<e:echo/>")),
    changed("C03 text in the Body", "3", R.SOAP_STRUCTURE, text(BODY, "x")),
    changed("C03 text in the Envelope", "3", R.SOAP_STRUCTURE, text("/*", "x")),
    changed("C03 something behind the Body", "3", R.SOAP_STRUCTURE, insert("/*", "<e:x/>")),
    raw("C03 no Body", "3", R.SOAP_STRUCTURE, by_text("(?s)<soap:Body.*</soap:Body>", "")),
    changed("C04 Body of SOAP 1.2 beside", "3", R.SOAP_STRUCTURE, insert("/*", "<s12:Body/>")),
    raw("C04 the other version", "3", R.SOAP_VERSION, lambda data: data.replace(ns.SOAP11.encode(), ns.SOAP12.encode())),
    raw("C04 neither version", "3", R.SOAP_VERSION, lambda data: data.replace(ns.SOAP11.encode(), b"urn:soap")),
    raw("C04 no namespace", "3", R.SOAP_VERSION, lambda _: b"<Envelope><Body/></Envelope>"),
    raw("C04 another root", "3", R.SOAP_VERSION, lambda _: f"<s:Body xmlns:s='{ns.SOAP11}'/>".encode()),
    changed("C05 another role", "3", R.NO_SECURITY_HEADER, attribute(SECURITY, f"{{{ns.SOAP11}}}actor", "urn:other")),
    changed("C05 two headers", "3", R.SEVERAL_SECURITY_HEADERS, insert(HEADER, "<wsse:Security/>")),
    changed("C05 one more for next", "3", R.SEVERAL_SECURITY_HEADERS, insert(HEADER, f'<wsse:Security s:actor="{uris.ACTOR_NEXT}"/>')),
    changed("C05 none, in other spelling", "3", R.NO_SECURITY_HEADER, attribute(SECURITY, f"{{{ns.SOAP11}}}actor", uris.ACTOR_NEXT.upper())),
    hostile("C09 empty Body", "3", R.NOT_AN_INPUT, lambda root: one(root, BODY).remove(one(root, BODY)[0])),
    hostile("C09 only a comment", "3", R.NOT_AN_INPUT, _only_a_comment),
    changed("C10 quote in an id", "3", R.MALFORMED_ID, attribute(BODY, WSU_ID, "a' or '1'='1")),
    hostile("C10 quote in a reference", "3", R.REFERENCE_TARGET, attribute(f"({INFO}/ds:Reference)[1]", "URI", "#a'or'1'='1")),
]  # fmt: skip


@pytest.mark.parametrize("row", SOAP, ids=str)
def test_is_refused(row):
    check(row)
