"""Every feature of the engine, from the client's request to the client's verdict on the reply."""

import itertools
from dataclasses import replace

import pytest
from lxml import etree

from tests.simulator.bend import SECURITY, SIGNATURE, every, one, tree
from tests.simulator.world import ECHO, World, echo_body, policy
from wsprovider.exchange.initiator import addressing
from wsprovider.outbound.message import Algorithms
from wsprovider.policy.model import (
    DerivedKeys,
    HeaderPart,
    Inclusion,
    KeyReference,
    Layout,
    Parts,
    X509Token,
)
from wsprovider.scenarios import blocks
from wsprovider.soap.version import SOAP_11, SOAP_12
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import ConfigurationError, WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.words.suites import SUITES, allow_sha1, allow_short_symmetric_keys

SCENARIOS = ("1", "2", "3", "4", "5", "6", "7", "8")
VERSIONS = (SOAP_11, SOAP_12)
AWKWARD = "häé \u2028 <&>\"' ]]> \U0001f600 end"


@pytest.mark.parametrize("soap", VERSIONS, ids=lambda soap: soap.name)
@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("suite", sorted(SUITES))
def test_every_suite_in_every_scenario(scenario, suite, soap):
    for digest in (False, True) if scenario in {"1", "7", "8"} else (False,):
        world = World(scenario, suite=suite, soap=soap, digest=digest)
        exchange = world.call(AWKWARD)
        assert exchange.text == AWKWARD
        principal = exchange.verified.principal
        expected = {"1": "alice", "7": "alice", "8": "alice", "2": "client", "5": "client"}
        assert principal.name == expected.get(scenario, "")


CLIENT_KEYS = ("rsa-2048", "rsa-3072", "ec-p256", "ec-p384", "ec-p521", "ed25519")


@pytest.mark.parametrize(
    ("client", "service"),
    [*((key, "rsa-2048") for key in CLIENT_KEYS), *(("rsa-2048", key) for key in CLIENT_KEYS)],
)
def test_signature_keys_of_every_kind(client, service):
    exchange = World("2", client_key=client, service_key=service).call()
    assert exchange.text == "hello"


@pytest.mark.parametrize("method", [alg.RSA_SHA256, alg.RSA_SHA384, alg.RSA_SHA512])
@pytest.mark.parametrize("digest", [alg.SHA256, alg.SHA384, alg.SHA512])
def test_a_reply_follows_the_methods_of_its_request(method, digest):
    exchange = World("2", algorithms=Algorithms(signature=method, digest=digest)).call()
    for message in (exchange.request, exchange.reply):
        info = one(tree(message), f"{SIGNATURE}/ds:SignedInfo")
        assert one(info, "ds:SignatureMethod").get("Algorithm") == method
        assert {d.get("Algorithm") for d in every(info, "ds:Reference/ds:DigestMethod")} == {digest}


@pytest.mark.parametrize("scenario", ["3", "6", "8"])
@pytest.mark.parametrize("method", [alg.HMAC_SHA256, alg.HMAC_SHA1])
def test_macs(scenario, method):
    exchange = World(scenario, algorithms=Algorithms(signature=method)).call()
    assert one(tree(exchange.reply), f"{SIGNATURE}//ds:SignatureMethod").get("Algorithm") == method


@pytest.mark.parametrize("scenario", ["2", "3", "5", "6"])
def test_sha1_by_a_visible_line(scenario):
    old = "Basic256"
    assert World(scenario, suite=old).call().text == "hello"
    world = World(scenario)
    caller = World(scenario, suite=old)
    message = caller.request().data
    assert world.refused(message).reason is Reason.ALGORITHM_NOT_IN_SUITE
    lenient = World(scenario, suite=allow_sha1(SUITES["Basic256Sha256"]))
    lenient.accept(message)


def test_short_keys_by_a_visible_line():
    suite = replace(SUITES["Basic256"], symmetric_bits=128)
    short = World("6", suite=suite)
    message = short.request().data.replace(b"aes128-cbc", b"aes256-cbc")
    world = World("6", suite=allow_short_symmetric_keys(SUITES["Basic256"]))
    assert World("6", suite="Basic256").refused(message).reason is Reason.SIGNATURE_VALUE
    world.accept(message)


@pytest.mark.parametrize("suite", ["Basic256Sha256", "Basic256GcmSha256", "Basic128"])
@pytest.mark.parametrize("scenario", ["4", "5", "6", "7", "8"])
@pytest.mark.parametrize(
    "options",
    [
        {"encrypt_before_signing": True},
        {"encrypt_signature": True},
        {"encrypt_before_signing": True, "encrypt_signature": True},
        {"protect_tokens": True},
        {"encrypt_before_signing": True, "protect_tokens": True},
        {"layout": Layout.STRICT},
        {"layout": Layout.LAX_TIMESTAMP_FIRST},
    ],
    ids="+".join,
)
def test_binding_options(scenario, options, suite):
    world = World(policy(scenario, suite, **options))
    exchange = world.call(AWKWARD)
    assert exchange.text == AWKWARD
    signatures = len(every(tree(exchange.request), f"{SECURITY}/ds:Signature"))
    assert signatures == (0 if "encrypt_signature" in options else 1)


@pytest.mark.parametrize("scenario", ["5", "6", "8"])
@pytest.mark.parametrize("option", ["encrypt_before_signing", "encrypt_signature", "protect_tokens"])
def test_options_are_demanded_not_hoped_for(scenario, option):
    plain, strict = World(scenario), World(policy(scenario, **{option: True}))
    expected = {
        "encrypt_before_signing": {Reason.DIGEST_MISMATCH},
        "encrypt_signature": {Reason.SIGNATURE_NOT_ENCRYPTED},
        "protect_tokens": {Reason.TOKEN_NOT_PROTECTED},
    }[option]
    assert strict.refused(plain.request().data).reason in expected
    if option != "protect_tokens":  # more protection than asked for is no harm, another order is
        assert plain.refused(strict.request().data).reason in {
            Reason.DIGEST_MISMATCH,
            Reason.SIGNATURE_MISSING,
        }


@pytest.mark.parametrize("naming", list(KeyReference)[:3])
@pytest.mark.parametrize("protect", [False, True])
@pytest.mark.parametrize("scenario", ["2", "5"])
def test_certificates_named_in_every_way(scenario, protect, naming):
    """ProtectTokens of a certificate that is not in the message: by STR-Transform."""
    token = X509Token(Inclusion.NEVER, frozenset({naming}))
    world = World(
        policy(
            scenario,
            protect_tokens=protect,
            initiator_signature=token,
            initiator_encryption=token,
            recipient_signature=token,
            recipient_encryption=token,
        )
    )
    exchange = world.call()
    named = len(every(tree(exchange.request), f"{SIGNATURE}//ds:Transform[contains(@Algorithm, 'STR-')]"))
    assert named == int(protect)


@pytest.mark.parametrize("derivation", [ns.WSC_200502, ns.WSC_200512, None])
@pytest.mark.parametrize("scenario", ["3", "4", "6", "7", "8"])
@pytest.mark.parametrize("protect", [False, True])
def test_derived_keys(scenario, derivation, protect):
    token = replace(blocks.X509_BY_THUMBPRINT, derived_keys=DerivedKeys.REQUIRED)
    derived = policy(scenario, signature_token=token, encryption_token=token, protect_tokens=protect)
    world = World(derived, algorithms=Algorithms(derivation=derivation))
    exchange = world.call(AWKWARD)
    assert exchange.text == AWKWARD
    for message in (exchange.request, exchange.reply):
        tokens = every(tree(message), f"{SECURITY}/*[local-name()='DerivedKeyToken']")
        assert len(tokens) == (1 if scenario == "3" else 2)
        assert {t.tag.partition("}")[0][1:] for t in tokens} == {derivation or ns.WSC_200512}
    plain = World(scenario)
    assert world.refused(plain.request().data).reason is Reason.DERIVED_KEYS_REQUIRED
    plain.accept(exchange.request)


H = "urn:h"
HEADER = HeaderPart(H)
NAMED = HeaderPart(H, "x")


def _header(name: str = "x", value: str = "value") -> etree._Element:
    return etree.fromstring(f'<h:{name} xmlns:h="{H}">{value}</h:{name}>')


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("scenario", ["4", "5", "6"])
@pytest.mark.parametrize(
    "signed",
    [Parts(body=True, headers=(HEADER,)), Parts(body=True, headers=(NAMED,)), Parts(all_parts=True)],
    ids=["namespace", "name", "all"],
)
@pytest.mark.parametrize(
    "encrypted",
    [Parts(body=True, headers=(NAMED,)), Parts(body=True), Parts(all_parts=True)],
    ids=["header", "body", "all"],
)
def test_signed_and_encrypted_headers(scenario, before, signed, encrypted):
    world = World(policy(scenario, signed=signed, encrypted=encrypted, encrypt_before_signing=before))
    exchange = world.call(headers=[_header(value="geheim")])
    assert exchange.verified.evidence.envelope.header[0].text == "geheim"
    assert (b"geheim" in exchange.request) is not bool(encrypted.headers)
    # without the header there is nothing to sign or encrypt
    assert world.call().text == "hello"


@pytest.mark.parametrize("scenario", ["5", "6"])
def test_headers_that_should_be_signed_or_encrypted(scenario):
    plain = World(scenario).request(headers=[_header()]).data
    part = Parts(body=True, headers=(NAMED,))
    assert World(policy(scenario, signed=part)).refused(plain).reason is Reason.HEADER_NOT_SIGNED
    assert World(policy(scenario, encrypted=part)).refused(plain).reason is Reason.HEADER_NOT_ENCRYPTED
    assert (
        World(policy(scenario, signed=Parts(all_parts=True))).refused(plain).reason
        is Reason.HEADER_NOT_SIGNED
    )
    World(scenario).accept(plain)


def test_required_headers():
    world = World(policy("6", alternative={"required_headers": (NAMED,)}))
    assert world.refused(world.request().data).reason is Reason.HEADER_MISSING
    world.accept(world.request(headers=[_header()]).data)


@pytest.mark.parametrize(
    ("layout", "reason"),
    [
        (Layout.LAX, None),
        (Layout.LAX_TIMESTAMP_FIRST, None),
        (Layout.LAX_TIMESTAMP_LAST, Reason.LAYOUT),
        (Layout.STRICT, None),
    ],
)
def test_layouts(layout, reason):
    world = World(policy("3", layout=layout))
    message = world.request().data
    if reason is None:
        world.accept(message)
    else:
        assert world.refused(message).reason is reason
    root = tree(message)
    security = one(root, SECURITY)
    security.append(security[0])
    moved = etree.tostring(root)
    other = World(policy("3", layout=layout))
    if layout in (Layout.LAX, Layout.LAX_TIMESTAMP_LAST, Layout.STRICT):
        other.accept(moved)
    else:
        assert other.refused(moved).reason is Reason.LAYOUT


@pytest.mark.parametrize("namespace", [ns.WSA_200508, ns.WSA_200408])
@pytest.mark.parametrize("soap", VERSIONS, ids=lambda soap: soap.name)
@pytest.mark.parametrize("scenario", ["1", "3", "5"])
def test_addressing_is_answered(scenario, soap, namespace):
    world = World(scenario, soap=soap)
    sent = addressing(
        to="http://localhost/echo", action=f"{ECHO}/echo", message_id="urn:uuid:1", namespace=namespace
    )
    exchange = world.call(blocks=sent)
    header = exchange.answer.root[0]
    assert header.findtext(f"{{{namespace}}}RelatesTo") == "urn:uuid:1"
    assert header.findtext(f"{{{namespace}}}Action") == f"{ECHO}/echoResponse"
    assert header.findtext(f"{{{namespace}}}MessageID", "").startswith("urn:uuid:")
    assert exchange.verified.message_id == "urn:uuid:1"


@pytest.mark.parametrize("soap", VERSIONS, ids=lambda soap: soap.name)
@pytest.mark.parametrize("sender_400", [False, True])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_faults_of_the_service_are_protected_like_replies(scenario, soap, sender_400):
    world = World(scenario, soap=soap, sender_fault_400=sender_400)
    pending = world.request()
    verified = world.accept(pending.data)
    inner = (
        "<faultcode>s:Client</faultcode><faultstring>no</faultstring>"
        if soap is SOAP_11
        else "<s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text xml:lang='en'>no</s:Text></s:Reason>"
    )
    fault = etree.fromstring(f'<s:Body xmlns:s="{soap.namespace}"><s:Fault>{inner}</s:Fault></s:Body>')
    wire = world.recipient.reply(verified, fault, fault=True)
    assert wire.status == (400 if sender_400 and soap is not SOAP_11 else 500)
    answer = world.initiator.accept(pending, wire.data, secure=world.transport.secure)
    assert answer.fault
    if scenario in "45678":
        assert b"faultstring" not in wire.data
    plain = f'<s:Envelope xmlns:s="{soap.namespace}"><s:Body><s:Fault>{inner}</s:Fault></s:Body></s:Envelope>'
    with pytest.raises(WSSecurityError):
        world.initiator.accept(pending, plain.encode(), secure=world.transport.secure)


PAYLOADS = {
    "default namespace": f'<echo xmlns="{ECHO}"><text>v</text></echo>',
    "no namespace below": f'<e:echo xmlns:e="{ECHO}"><e:text>v</e:text><x><y xmlns="urn:y"><z xmlns=""/></y></x></e:echo>',
    "prefix soap bound to another": f'<e:echo xmlns:e="{ECHO}" xmlns:soap="urn:soap"><soap:x soap:a="1"/><e:text>v</e:text></e:echo>',
    "prefix soap bound again": f'<e:echo xmlns:e="{ECHO}" xmlns:soap="{SOAP_11.namespace}"><soap:x/><q xmlns:soap="urn:q"><soap:y/></q></e:echo>',
    "prefix wsu bound again": f'<e:echo xmlns:e="{ECHO}"><wsu:x xmlns:wsu="{ns.WSU}"/><wsu:x xmlns:wsu="urn:other"/></e:echo>',
    "prefix ds in the payload": f'<e:echo xmlns:e="{ECHO}"><ds:Signature xmlns:ds="{ns.DS}"/><ds:x xmlns:ds="urn:ds"/></e:echo>',
    "encrypted data of the application": f'<e:echo xmlns:e="{ECHO}"><xenc:EncryptedData xmlns:xenc="{ns.XENC}" Id="app"/></e:echo>',
    "ids of the application": f'<e:echo xmlns:e="{ECHO}"><x Id="a"/><x ID="a"/><x xml:id="a"/><wsu:x xmlns:wsu="{ns.WSU}" wsu:Id="app"/></e:echo>',
    "attributes in many namespaces": f'<e:echo xmlns:e="{ECHO}" xmlns:b="urn:b" xmlns:a="urn:a" b:z="1" a:z="2" z="3" xml:lang="de" xml:space="preserve"> v </e:echo>',
    "same namespace twice": f'<e:echo xmlns:e="{ECHO}" xmlns:f="{ECHO}"><f:text e:a="1">v</f:text></e:echo>',
    "CDATA": f'<e:echo xmlns:e="{ECHO}"><e:text><![CDATA[<&>]]>]]&gt;</e:text></e:echo>',
    "white space": f'<e:echo xmlns:e="{ECHO}">\n  <e:text a="&#10;&#9;&#13; x">a&#13;b\r\nc\td</e:text>\n</e:echo>',
    "comments": f'<e:echo xmlns:e="{ECHO}"><e:text>a<!-- x -->b</e:text></e:echo>',
    "mixed": f'<e:echo xmlns:e="{ECHO}">a<b/>c<d/>e</e:echo>',
    "long attribute": f'<e:echo xmlns:e="{ECHO}" a="{"x" * 100_000}"/>',
    "names of other scripts": f'<e:echo xmlns:e="{ECHO}" ключ="ä"><значение>中文 \u0085\u2029</значение></e:echo>',
}


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("name", PAYLOADS)
def test_payloads_arrive_as_they_were_sent(name, exact):
    for scenario, before in itertools.product(("2", "4", "6"), (False, True)):
        world = World(policy(scenario, encrypt_before_signing=before))
        body = etree.fromstring(f'<s:Body xmlns:s="{SOAP_11.namespace}">{PAYLOADS[name]}</s:Body>')
        exchange_request = world.request(body=body, exact=exact)
        got = world.accept(exchange_request.data).payload
        assert _canonical(got) == _canonical(body[0])


def _canonical(element: etree._Element) -> bytes:
    return etree.tostring(element, with_tail=False, method="c14n", exclusive=True, with_comments=False)


@pytest.mark.parametrize("scenario", ["2", "4", "5", "6"])
def test_names_in_values_keep_their_namespaces(scenario):
    """Prefixes on the payload survive in any case, prefixes declared below it with ``exact``."""
    for exact, outer, inner in (
        (False, 'xmlns:q="urn:q"', ""),
        (True, "", 'xmlns:q="urn:q"'),
        (True, 'xmlns:q="urn:q"', ""),
    ):
        world = World(scenario)
        body = etree.fromstring(
            f'<s:Body xmlns:s="{SOAP_11.namespace}"><e:echo xmlns:e="{ECHO}" {outer}>'
            f'<e:text {inner} type="q:name">q:value</e:text></e:echo></s:Body>'
        )
        verified = world.accept(world.request(body=body, exact=exact).data)
        assert verified.payload[0].nsmap["q"] == "urn:q"
        pending = world.request()
        reply = etree.fromstring(etree.tostring(body).replace(b"e:echo", b"e:echoResponse"))
        wire = world.recipient.reply(world.accept(pending.data), reply, exact=exact)
        answer = world.initiator.accept(pending, wire.data, secure=False)
        assert answer.payload[0].nsmap["q"] == "urn:q"


@pytest.mark.parametrize("scenario", ["2", "5", "6"])
def test_a_megabyte_each_way(scenario):
    assert World(scenario).call("x" * 1_000_000).text == "x" * 1_000_000


def test_a_service_whose_key_cannot_decrypt():
    with pytest.raises(ConfigurationError, match="RSA"):
        World("3", service_key="ec-p256").request()


def test_the_initiators_own_mistakes():
    world = World("8")
    initiator = world.make_initiator()
    initiator._credentials = None
    with pytest.raises(ConfigurationError, match="UsernameToken"):
        initiator.request(echo_body(SOAP_11, "x"), version=SOAP_11)
    with pytest.raises(ConfigurationError, match="no method"):
        World("2", suite="Basic256", client_key="ec-p256").request()
