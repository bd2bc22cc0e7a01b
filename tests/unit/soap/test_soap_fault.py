"""P01 to P03: faults are few, fixed and valid."""

import pytest
from lxml import etree

from wsprovider.soap.fault import reason_of, refusal
from wsprovider.soap.version import SOAP_11, SOAP_12
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import BackendError, SoapError, SoapFault, WSSecurityError
from wsprovider.words.reasons import Reason

VERSIONS = (SOAP_11, SOAP_12)


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_every_reason_gets_the_same_bytes(version):
    faults = {refusal(WSSecurityError(reason, f"detail {reason.name}"), version) for reason in Reason}
    assert len(faults) == 1
    (fault,) = faults
    assert fault.status == 500


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.parametrize("fault", SoapFault)
def test_every_fault_is_valid_and_says_nothing_of_the_cause(fault, version):
    faults = {refusal(SoapError(fault, reason, "<canary>"), version).data for reason in Reason}
    assert len(faults) == 1
    root = etree.fromstring(faults.pop())
    assert root.tag == f"{{{version.namespace}}}Envelope"
    (body,) = root
    (inner,) = body
    assert inner.tag == f"{{{version.namespace}}}Fault"
    names = [child.tag.rpartition("}")[2] for child in inner]
    assert names == (["faultcode", "faultstring"] if version is SOAP_11 else ["Code", "Reason"])
    code = inner[0].text if version is SOAP_11 else inner[0][0].text
    prefix, _, name = (code or "").partition(":")
    assert inner[0].nsmap[prefix] in {version.namespace, ns.WSA_200508, ns.WSC_200512, ns.WST_200512}
    assert name
    assert b"canary" not in etree.tostring(root)


@pytest.mark.parametrize(
    "error", [ValueError("canary"), RecursionError(), MemoryError(), BackendError("canary")]
)
@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_our_own_errors_are_ours(error, version):
    fault = refusal(error, version)
    assert fault.status == 500
    assert b"canary" not in fault.data
    assert (b"Server" if version is SOAP_11 else b"Receiver") in fault.data
    assert reason_of(error) is Reason.INTERNAL


def test_a_status_of_its_own():
    assert refusal(SoapError(SoapFault.CLIENT, Reason.MESSAGE_TOO_LARGE, status=413), SOAP_12).status == 413
    assert refusal(SoapError(SoapFault.MUST_UNDERSTAND, Reason.NOT_UNDERSTOOD), SOAP_12).status == 500
    assert refusal(SoapError(SoapFault.VERSION_MISMATCH, Reason.SOAP_VERSION), SOAP_12).status == 500


def test_the_status_of_the_sender_is_400_where_it_is_asked_for():
    error = SoapError(SoapFault.CLIENT, Reason.NOT_AN_INPUT)
    assert [refusal(error, version).status for version in VERSIONS] == [500, 500]
    assert [refusal(error, version, sender_400=True).status for version in VERSIONS] == [500, 400]
    assert [refusal(ValueError(), version, sender_400=True).status for version in VERSIONS] == [500, 500]
    other = SoapError(SoapFault.MUST_UNDERSTAND, Reason.NOT_UNDERSTOOD)
    assert refusal(other, SOAP_12, sender_400=True).status == 500


def test_every_security_reason_has_a_fault_code():
    for reason in Reason:
        if reason.fault_code != "-":
            assert WSSecurityError(reason).code.value == reason.fault_code
    assert len(WSSecurityError(Reason.DECRYPTION, "x" * 1000).detail) == 300
