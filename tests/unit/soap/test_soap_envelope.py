"""The frame of a message: C02 to C05, with accepted twins, in both versions."""

import pytest

from tests.simulator.bend import tree
from wsprovider.soap.envelope import check_understood, read
from wsprovider.soap.version import SOAP_11, SOAP_12, SoapVersion
from wsprovider.words import namespaces as ns
from wsprovider.words import uris
from wsprovider.words.errors import SoapError, WSSecurityError
from wsprovider.words.reasons import Reason

VERSIONS = {"1.1": SOAP_11, "1.2": SOAP_12}
NAMES = f"xmlns:s11='{ns.SOAP11}' xmlns:s12='{ns.SOAP12}' xmlns:w='{ns.WSSE}' xmlns:h='urn:h' xmlns:a='{ns.WSA_200508}'"


def frame(version: SoapVersion, inner: str) -> bytes:
    return f"<s:Envelope xmlns:s='{version.namespace}' {NAMES}>{inner}</s:Envelope>".encode()


def outcome(version: SoapVersion, inner: str) -> object:
    try:
        envelope = read(tree(frame(version, inner)), version)
        check_understood(envelope)
    except (SoapError, WSSecurityError) as error:
        return error.reason
    return envelope


@pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS.keys())
@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("<s:Body/>", None),
        ("<s:Header/><s:Body><h:x/></s:Body>", None),
        (" \n<s:Header> <h:x/> </s:Header>\t<s:Body> <h:x/> </s:Body>\r\n", None),
        ("<s:Header><h:x s:mustUnderstand='0'/></s:Header><s:Body/>", None),
        ("<s:Header><a:To s:mustUnderstand='1'/></s:Header><s:Body/>", None),
        ("<s:Header><w:Security s:mustUnderstand='1'/></s:Header><s:Body/>", None),
        ("<s:Header><h:x s:mustUnderstand='1'/></s:Header><s:Body/>", Reason.NOT_UNDERSTOOD),
        ("<s:Header><h:x s:mustUnderstand=''/></s:Header><s:Body/>", Reason.SOAP_STRUCTURE),
        ("<s:Header><h:x s:mustUnderstand='2'/></s:Header><s:Body/>", Reason.SOAP_STRUCTURE),
        ("<s:Header><h:x mustUnderstand='1'/></s:Header><s:Body/>", None),
        ("<s:Header><x/></s:Header><s:Body/>", Reason.SOAP_STRUCTURE),
        ("<s:Header>text</s:Header><s:Body/>", Reason.SOAP_STRUCTURE),
        ("<s:Header/>", Reason.SOAP_STRUCTURE),
        ("", Reason.SOAP_STRUCTURE),
        ("<s:Body/><s:Body/>", Reason.SOAP_STRUCTURE),
        ("<s:Body/><s:Header/>", Reason.SOAP_STRUCTURE),
        ("<s:Header/><s:Header/><s:Body/>", Reason.SOAP_STRUCTURE),
        ("<s:Header/><h:x/><s:Body/>", Reason.SOAP_STRUCTURE),
        ("<s:Body><h:x/><h:x/></s:Body>", Reason.SOAP_STRUCTURE),
        ("<s:Body>text</s:Body>", Reason.SOAP_STRUCTURE),
        ("<s:Body><h:x/>text</s:Body>", Reason.SOAP_STRUCTURE),
        ("<s:Body/>text", Reason.SOAP_STRUCTURE),
        ("\u00a0<s:Body/>", Reason.SOAP_STRUCTURE),
        ("<s:Header><w:Security/><w:Security/></s:Header><s:Body/>", Reason.SEVERAL_SECURITY_HEADERS),
    ],
)
def test_frames(version, inner, expected):
    found = outcome(version, inner)
    assert found is expected if expected else not isinstance(found, Reason)


@pytest.mark.parametrize(
    ("version", "inner", "ours"),
    [
        ("1.1", "<w:Security/>", True),
        ("1.1", "<w:Security s:actor=''/>", True),
        ("1.1", f"<w:Security s:actor='{uris.ACTOR_NEXT}'/>", True),
        ("1.1", "<w:Security s:actor='urn:other'/>", False),
        ("1.1", f"<w:Security s:actor='{uris.ROLE_NEXT}'/>", False),
        ("1.1", "<w:Security s12:role='urn:other'/>", True),
        ("1.2", f"<w:Security s:role='{uris.ROLE_ULTIMATE}'/>", True),
        ("1.2", f"<w:Security s:role='{uris.ROLE_NEXT}'/>", True),
        ("1.2", "<w:Security s:role='http://www.w3.org/2003/05/soap-envelope/role/none'/>", False),
        ("1.2", "<w:Security s11:actor='urn:other'/>", True),
        ("1.2", "<h:box><w:Security/></h:box>", False),
        ("1.1", "<w:Security s:actor='urn:other'/><w:Security/>", True),
    ],
)
def test_roles(version, inner, ours):
    found = outcome(VERSIONS[version], f"<s:Header>{inner}</s:Header><s:Body/>")
    assert (found.security is not None) is ours


@pytest.mark.parametrize(
    ("version", "value", "expected"),
    [
        ("1.1", "true", Reason.SOAP_STRUCTURE), ("1.2", "true", Reason.NOT_UNDERSTOOD), ("1.2", "false", None),
        ("1.1", "TRUE", Reason.SOAP_STRUCTURE), ("1.2", "TRUE", Reason.SOAP_STRUCTURE),
    ],
)  # fmt: skip
def test_spellings_of_must_understand(version, value, expected):
    found = outcome(VERSIONS[version], f"<s:Header><h:x s:mustUnderstand='{value}'/></s:Header><s:Body/>")
    assert found is expected if expected else not isinstance(found, Reason)


def test_what_others_must_understand_is_not_for_us():
    found = outcome(SOAP_11, "<s:Header><h:x s:actor='urn:other' s:mustUnderstand='1'/></s:Header><s:Body/>")
    assert found.blocks == ()
    found = outcome(SOAP_11, "<s:Header><h:x s12:mustUnderstand='1'/></s:Header><s:Body/>")
    assert len(found.blocks) == 1


@pytest.mark.parametrize(
    "document",
    [
        b"<Envelope/>",
        b"<x:Envelope xmlns:x='urn:x'/>",
        f"<s:Body xmlns:s='{ns.SOAP11}'/>".encode(),
        frame(SOAP_12, "<s:Body/>"),
    ],
)
def test_other_documents(document):
    with pytest.raises(SoapError) as refused:
        read(tree(document), SOAP_11)
    assert refused.value.reason is Reason.SOAP_VERSION
