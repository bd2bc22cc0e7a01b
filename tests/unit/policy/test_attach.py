"""Policies put into a WSDL and read back from it."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from lxml import etree
from zeep.wsdl import Document

from wsprovider.policy.attach import attach
from wsprovider.policy.effective import EffectivePolicies, Message, MessageKey, policies_of
from wsprovider.policy.model import Alternative, Inclusion, Parts, Policy, SymmetricBinding, X509Token
from wsprovider.policy.write import write_policy
from wsprovider.words import namespaces as ns
from wsprovider.words.dialects import DIALECTS, SP12
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.suites import SUITES

SMALL = Path(__file__).with_name("wsdl.xml")
WSDL = f"{{{ns.WSDL11}}}"
TOKEN = X509Token(Inclusion.NEVER)
POLICY = Policy(
    "Both",
    (
        Alternative(
            SymmetricBinding(TOKEN, TOKEN, SUITES["Basic256Sha256"], timestamp=True),
            signed_parts=Parts(body=True),
        ),
    ),
)
OTHER = replace(POLICY, id="Other", alternatives=(replace(POLICY.alternatives[0], signed_parts=Parts()),))


@pytest.fixture
def wsdl():
    return etree.fromstring(SMALL.read_bytes())


def parts_policy(id_, kind, sp=ns.SP_200702):
    """A policy of parts alone, as CXF and WSO2 attach them to messages."""
    return etree.fromstring(
        f'<wsp:Policy wsu:Id="{id_}" xmlns:wsp="{ns.WSP_200409}" xmlns:wsu="{ns.WSU}" xmlns:sp="{sp}">'
        f"<sp:{kind}><sp:Body/></sp:{kind}></wsp:Policy>"
    )


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda dialect: dialect.name)
def test_attached_to_every_binding_and_read_back(wsdl, dialect):
    attach(wsdl, write_policy(POLICY, dialect))
    for port in ("EchoPort", "OtherPort"):
        assert policies_of(wsdl, where="w", port=port) == EffectivePolicies(POLICY, {})
        assert policies_of(etree.tostring(wsdl), where="w", port=port).endpoint == POLICY


def test_attached_to_one_binding(wsdl):
    attach(wsdl, write_policy(POLICY), binding="EchoSoap")
    attach(wsdl, write_policy(OTHER), binding="EchoOther")
    assert policies_of(wsdl, where="w", port="EchoPort").endpoint == POLICY
    assert policies_of(wsdl, where="w", binding="EchoOther").endpoint == OTHER


def test_where_the_elements_go(wsdl):
    """The schema of WSDL 1.1: documentation, then extensions, then the rest."""
    attach(wsdl, write_policy(POLICY))
    attach(wsdl, parts_policy("Parts", "EncryptedParts"), operation="say", message=Message.INPUT)
    top = [etree.QName(child).localname for child in wsdl]
    assert top[:4] == ["documentation", "Policy", "Policy", "types"]
    echo, other = wsdl.iterchildren(f"{WSDL}binding")
    names = [etree.QName(child).localname for child in echo]
    assert names == ["documentation", "PolicyReference", "binding", "operation", "operation"]
    assert etree.QName(other[0]).localname == "PolicyReference"
    (say, _) = echo.iterchildren(f"{WSDL}operation")
    assert [etree.QName(child).localname for child in say.find(f"{WSDL}input")] == ["PolicyReference", "body"]
    assert say.find(f"{WSDL}output").find("{*}PolicyReference") is None


def test_the_policy_is_copied_and_stands_once(wsdl):
    policy = write_policy(POLICY)
    attach(wsdl, policy, binding="EchoSoap")
    attach(wsdl, policy, binding="EchoOther")
    assert policy.getparent() is None
    assert len(list(wsdl.iter(f"{{{ns.WSP_200409}}}Policy"))) == len(
        list(policy.iter(f"{{{ns.WSP_200409}}}Policy"))
    )


def test_another_policy_of_the_same_id_is_refused(wsdl):
    attach(wsdl, write_policy(POLICY))
    with pytest.raises(ConfigurationError, match="another policy with the id 'Both'"):
        attach(wsdl, write_policy(replace(OTHER, id="Both")))


@pytest.mark.parametrize(
    "subject",
    [{"binding": "Nothing"}, {"operation": "nothing"}, {"binding": "EchoOther", "operation": "tell"}],
)
def test_nothing_to_attach_to(wsdl, subject):
    with pytest.raises(ConfigurationError, match="no binding to attach"):
        attach(wsdl, write_policy(POLICY), **subject)


def test_a_policy_without_an_id_is_refused(wsdl):
    with pytest.raises(ConfigurationError, match="without an id"):
        attach(wsdl, write_policy(replace(POLICY, id="")))


def test_parts_on_messages_are_merged_with_the_binding(wsdl):
    attach(wsdl, write_policy(OTHER))
    attach(wsdl, parts_policy("In", "SignedParts"), binding="EchoSoap", message=Message.INPUT)
    attach(
        wsdl,
        parts_policy("Out", "EncryptedParts"),
        binding="EchoSoap",
        operation="say",
        message=Message.OUTPUT,
    )
    found = policies_of(wsdl, where="w", port="EchoPort")
    assert found.endpoint == OTHER
    say, tell = MessageKey("say", Message.INPUT), MessageKey("tell", Message.INPUT)
    reply, trouble = MessageKey("say", Message.OUTPUT), MessageKey("say", Message.FAULT, "trouble")
    signed = replace(OTHER.alternatives[0], signed_parts=Parts(body=True))
    encrypted = replace(OTHER.alternatives[0], encrypted_parts=Parts(body=True))
    assert found.messages == {
        say: Policy("", (signed,)),
        tell: Policy("", (signed,)),
        reply: Policy("", (encrypted,)),
    }
    assert found.of(trouble) == OTHER
    assert found.of(reply) == found.messages[reply]


def test_a_binding_assertion_below_the_endpoint(wsdl):
    """Parts at the endpoint make no policy alone, and need not where each operation has the rest."""
    attach(wsdl, parts_policy("Parts", "SignedParts"), binding="EchoOther")
    with pytest.raises(ConfigurationError, match="no binding assertion"):
        policies_of(wsdl, where="w", port="OtherPort")
    attach(wsdl, write_policy(OTHER), binding="EchoOther", operation="say")
    found = policies_of(wsdl, where="w", port="OtherPort")
    assert found.endpoint is None
    assert set(found.messages) == {MessageKey("say", Message.INPUT), MessageKey("say", Message.OUTPUT)}
    assert all(policy.alternatives == POLICY.alternatives for policy in found.messages.values())


def test_a_message_that_would_go_unprotected_is_refused(wsdl):
    """One operation has a binding assertion; the other is left with parts that nothing protects."""
    attach(wsdl, parts_policy("Parts", "SignedParts"), binding="EchoSoap")
    attach(wsdl, write_policy(OTHER), binding="EchoSoap", operation="say")
    with pytest.raises(ConfigurationError, match="no binding assertion"):
        policies_of(wsdl, where="w", port="EchoPort")


@pytest.mark.parametrize("path", ["service", "service/port", "portType", "binding"])
def test_every_element_of_an_endpoint_is_looked_at(wsdl, path):
    element = wsdl.find("/".join(WSDL + step for step in path.split("/")))
    element.insert(0, write_policy(POLICY))
    assert policies_of(wsdl, where="w", port="EchoPort").endpoint == POLICY


@pytest.mark.parametrize(
    "path", ["portType/operation", "portType/operation/input", "message", "binding/operation"]
)
def test_every_element_of_a_message_is_looked_at(wsdl, path):
    element = wsdl.find("/".join(WSDL + step for step in path.split("/")))
    element.insert(0, write_policy(POLICY))
    found = policies_of(wsdl, where="w", port="EchoPort")
    assert found.endpoint is None
    assert found.of(MessageKey("say", Message.INPUT)).alternatives == POLICY.alternatives


def test_no_policy_at_all(wsdl):
    assert policies_of(wsdl, where="w", port="EchoPort") == EffectivePolicies(None, {})


@pytest.mark.parametrize(
    ("wanted", "what"),
    [
        ({}, "several ports; name one of EchoPort, OtherPort"),
        ({"port": "Nothing"}, "no such port"),
        ({"binding": "Nothing"}, "no such port"),
        ({"port": "EchoPort", "binding": "EchoOther"}, "no such port"),
    ],
)
def test_no_such_port(wsdl, wanted, what):
    with pytest.raises(ConfigurationError, match=what):
        policies_of(wsdl, where="w", **wanted)


def test_a_binding_of_several_ports(wsdl):
    attach(wsdl, write_policy(POLICY))
    first, second = wsdl.iter(f"{WSDL}port")
    second.set("binding", "tns:EchoSoap")
    assert policies_of(wsdl, where="w", binding="EchoSoap").endpoint == POLICY
    first.insert(0, parts_policy("Parts", "EncryptedParts"))
    with pytest.raises(ConfigurationError, match="name one of EchoPort, OtherPort"):
        policies_of(wsdl, where="w", binding="EchoSoap")


def test_a_binding_that_is_elsewhere(wsdl):
    wsdl.remove(wsdl.find(f"{WSDL}binding"))
    with pytest.raises(ConfigurationError, match="imports are not followed"):
        policies_of(wsdl, where="w", port="EchoPort")


def test_policies_named_by_an_attribute_are_not_overlooked(wsdl):
    wsdl.find(f"{WSDL}binding").set(f"{{{ns.WSP_200409}}}PolicyURIs", "#Both")
    with pytest.raises(ConfigurationError, match="PolicyURIs"):
        policies_of(wsdl, where="w", port="EchoPort")


def test_a_reference_to_nothing_is_refused(wsdl):
    attach(wsdl, write_policy(POLICY))
    wsdl.remove(wsdl.find(f"{{{SP12.policy}}}Policy"))
    with pytest.raises(ConfigurationError, match="not exactly one wsp:Policy"):
        policies_of(wsdl, where="w", port="EchoPort")


def test_what_is_no_wsdl():
    with pytest.raises(ConfigurationError, match="expected wsdl:definitions"):
        policies_of(b"<a/>", where="w")
    with pytest.raises(ConfigurationError, match="DOCTYPE"):
        policies_of(b"<!DOCTYPE a><a/>", where="w")


def test_zeep_reads_the_wsdl_all_the_same(wsdl):
    attach(wsdl, write_policy(POLICY))
    attach(wsdl, parts_policy("Parts", "EncryptedParts"), message=Message.INPUT)
    document = Document(BytesIO(etree.tostring(wsdl)), None)
    (service,) = document.services.values()
    assert set(service.ports) == {"EchoPort", "OtherPort"}
    assert set(service.ports["EchoPort"].binding.all()) == {"say", "tell"}
