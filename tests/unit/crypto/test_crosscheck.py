"""The second engine: it agrees with ours on whatever holds, and refuses what only ours would let in."""

import base64
import hashlib
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from lxml import etree

pytest.importorskip("xmlsec")

from tests.simulator import pki
from tests.simulator.world import World
from wsprovider.crypto import ciphers
from wsprovider.crypto.algorithms import sign_symmetric
from wsprovider.crypto.crosscheck import XmlsecOpinion
from wsprovider.exchange.crosschecking import cannot_check
from wsprovider.header import encrypted_data, signature
from wsprovider.inbound import closing, decrypting, opening
from wsprovider.policy.compile import compile_policy
from wsprovider.policy.model import X509Token
from wsprovider.scenarios.catalogue import find
from wsprovider.soap.version import SOAP_11, SOAP_12
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import ConfigurationError, WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.words.suites import SUITES, allow_sha1, allow_short_symmetric_keys
from wsprovider.xml import canonical

SIGNED = "35678"
SCENARIOS = "2345678"
OPINION = XmlsecOpinion()
SECRET = bytes(range(32))


class Counting(XmlsecOpinion):
    """Counts what it was asked."""

    def __init__(self):
        super().__init__()
        self.signatures = self.decryptions = 0

    def signature(self, *asked):
        super().signature(*asked)
        self.signatures += 1

    def decryption(self, *asked):
        super().decryption(*asked)
        self.decryptions += 1


def refused(call, *arguments, **named):
    with pytest.raises(WSSecurityError) as caught:
        call(*arguments, **named)
    assert caught.value.reason is Reason.CROSSCHECK
    return caught.value.detail


# agreement -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("soap", [SOAP_11, SOAP_12], ids=["soap11", "soap12"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_agrees_on_both_sides(scenario, soap, suite):
    service, client = Counting(), Counting()
    world = World(scenario, suite=suite, soap=soap, opinion=service, client_opinion=client)
    assert world.call("Grüße & <more>").text == "Grüße & <more>"
    requirements = compile_policy(world.policy, "test")[0]
    for counted, message in ((service, requirements.request), (client, requirements.reply)):
        assert counted.signatures == 1
        assert (counted.decryptions > 0) == message.has_encryption


@pytest.mark.parametrize("suite", ["Basic256", "Basic256Sha256"])
@pytest.mark.parametrize("widened", [allow_sha1, allow_short_symmetric_keys])
def test_agrees_under_widened_suites(suite, widened):
    counted = Counting()
    world = World("8", suite=widened(SUITES[suite]), opinion=counted, client_opinion=counted)
    assert world.call().text == "hello"
    assert counted.decryptions


@pytest.mark.parametrize("kind", ["rsa-3072", "rsa-4096", "ec-p256", "ec-p384", "ec-p521"])
def test_agrees_for_every_kind_of_client_key(kind):
    world = World("2", client_key=kind, opinion=OPINION, client_opinion=OPINION)
    assert world.call().text == "hello"


def test_ed25519_is_refused_not_waved_through():
    world = World("2", client_key="ed25519", opinion=OPINION)
    pending = world.request()
    refused(world.accept, pending.data)


@pytest.mark.parametrize("method", ciphers.CIPHERS)
@pytest.mark.parametrize("plaintext", [b"", b"x", b" \n<a/>", b"\0" * 16, b"<a>" * 4000], ids=len)
def test_agrees_on_any_plaintext(method, plaintext):
    key = os.urandom(ciphers.CIPHERS[method].key_bytes)
    octets = ciphers.encrypt(method, key, plaintext, os.urandom)
    OPINION.decryption(encrypted(method, octets), method, key, plaintext)
    refused(OPINION.decryption, encrypted(method, octets), method, key, plaintext + b"!")


@pytest.mark.parametrize("method", [alg.AES192_CBC, alg.AES256_CBC])
def test_a_short_key_under_a_long_name_is_checked_too(method):
    octets = ciphers.encrypt(alg.AES128_CBC, SECRET[:16], b"<short/>", os.urandom)
    OPINION.decryption(encrypted(method, octets), method, SECRET[:16], b"<short/>")
    refused(OPINION.decryption, encrypted(method, octets), method, SECRET[:16], b"<other/>")


def test_the_copy_is_what_is_worked_on():
    element = encrypted(alg.AES256_GCM, ciphers.encrypt(alg.AES256_GCM, SECRET, b"<a/>", os.urandom))
    element.tail = "tail"
    before = etree.tostring(element)
    OPINION.decryption(element, alg.AES256_GCM, SECRET, b"<a/>")
    assert etree.tostring(element) == before


@pytest.mark.parametrize("scenario", "25")
def test_the_verified_tree_is_unchanged(scenario):
    class Comparing(XmlsecOpinion):
        def signature(self, element, key, targets):
            root = element.getroottree().getroot()
            before = etree.tostring(root)
            super().signature(element, key, targets)
            assert etree.tostring(root) == before
            seen.append(root)

    seen = []
    world = World(scenario, opinion=Comparing())
    verified = world.call().verified
    assert seen == [verified.root]


# disagreement --------------------------------------------------------------------------------------


def judged_with_and_without(world, message):
    """Our weakened engine alone lets the message in; with the second engine it is refused."""
    alone = World(world.policy, opinion=None)
    assert alone.accept(message)
    return refused(world.accept, message)


@pytest.mark.parametrize("scenario", "23")
def test_a_wrong_digest_that_we_accept_is_refused(monkeypatch, scenario):
    world = World(scenario, opinion=OPINION)
    message = world.request("hello").data.replace(b"hello", b"hullo")
    monkeypatch.setattr(closing, "hmac", SimpleNamespace(compare_digest=lambda *_: True))
    judged_with_and_without(world, message)


@pytest.mark.parametrize(("scenario", "check"), [("2", "verify_asymmetric"), ("3", "verify_symmetric")])
def test_a_wrong_value_that_we_accept_is_refused(monkeypatch, scenario, check):
    world = World(scenario, opinion=OPINION)
    root = etree.fromstring(world.request().data)
    (value,) = root.iter(f"{{{ns.DS}}}SignatureValue")
    value.text = base64.b64encode(bytes(len(base64.b64decode(value.text)))).decode()
    monkeypatch.setattr(opening, check, lambda *_: None)
    judged_with_and_without(world, etree.tostring(root))


@pytest.mark.parametrize("scenario", "4567")
def test_a_wrong_plaintext_that_we_accept_is_refused(monkeypatch, scenario):
    world = World(scenario, opinion=OPINION)
    message = world.request().data
    ours = decrypting.decrypt_alike
    monkeypatch.setattr(decrypting, "decrypt_alike", lambda *asked: (ours(*asked)[0] + b" ", True))
    assert refused(world.accept, message) == "decryption: another plaintext"


def test_the_initiator_refuses_too(monkeypatch):
    world = World("5", client_opinion=OPINION)
    pending = world.request()
    reply = world.reply(world.accept(pending.data))
    ours = decrypting.decrypt_alike
    monkeypatch.setattr(decrypting, "decrypt_alike", lambda *asked: (ours(*asked)[0] + b" ", True))
    refused(world.initiator.accept, pending, reply, secure=False)


def test_a_refused_copy_does_not_burn_the_genuine_message(monkeypatch):
    world = World("2", opinion=OPINION)
    message = world.request("hello").data
    with monkeypatch.context() as patched:
        patched.setattr(closing, "hmac", SimpleNamespace(compare_digest=lambda *_: True))
        refused(world.accept, message.replace(b"hello", b"hullo"))
    assert world.accept(message)


@pytest.mark.parametrize("value", [b"", b"\0", b"\xff" * 40, bytes(range(256))], ids=len)
def test_garbage_is_one_quiet_refusal(capfd, value):
    for method, row in ciphers.CIPHERS.items():
        refused(OPINION.decryption, encrypted(method, value), method, bytes(row.key_bytes), b"")
        refused(OPINION.decryption, encrypted(method, value), method, value, b"")
    element = etree.fromstring(f'<ds:Signature xmlns:ds="{ns.DS}"><ds:SignedInfo/></ds:Signature>')
    for key in (value, pki.key().public_key(), pki.key("ec-p256").public_key()):
        refused(OPINION.signature, element, key, [])
    refused(OPINION.signature, element, b"key", [element])
    refused(OPINION.decryption, element, alg.AES256_GCM, SECRET, b"")
    assert capfd.readouterr() == ("", "")


# the gate ------------------------------------------------------------------------------------------


def encrypted(method, octets):
    return etree.fromstring(
        encrypted_data.write(
            "ED-1", content=True, method=method, reference=f'<w:STR xmlns:w="{ns.WSSE}"/>', octets=octets
        )
    )


def signed(uri, content, transform=signature.C14N_TRANSFORM, target="", digest="sha256"):
    """A document whose signature, by HMAC, holds over what a URI names."""
    value = hashlib.new(digest, content).digest()
    method = {"sha256": alg.SHA256, "md5": "http://www.w3.org/2001/04/xmldsig-more#md5"}[digest]
    info = signature.write_signed_info(alg.HMAC_SHA256, method, [("x", value, transform)])
    info = info.replace(b'URI="#x"', f'URI="{uri}"'.encode())
    made = signature.write("SIG", info, sign_symmetric(alg.HMAC_SHA256, SECRET, info), "<none/>")
    root = etree.fromstring(b"<doc>" + made + target.encode() + b"</doc>")
    assert canonical.exclusive(root[0][0]) == info
    return root


def test_the_gate_lets_the_plain_case_through():
    target = f'<t xmlns:u="{ns.WSU}" u:Id="x">text</t>'
    root = signed("#x", canonical.exclusive(etree.fromstring(target)), target=target)
    OPINION.signature(root[0], SECRET, [root[1]])
    refused(OPINION.signature, root[0], SECRET[1:], [root[1]])
    root[1].text = "tampered"
    refused(OPINION.signature, root[0], SECRET, [root[1]])


def test_an_id_that_was_not_registered_is_not_found():
    target = f'<t xmlns:u="{ns.WSU}" u:Id="x">text</t>'
    root = signed("#x", canonical.exclusive(etree.fromstring(target)), target=target)
    refused(OPINION.signature, root[0], SECRET, [])


def test_an_id_that_names_two_elements_is_refused():
    target = f'<t xmlns:u="{ns.WSU}" u:Id="x">text</t>'
    root = signed("#x", canonical.exclusive(etree.fromstring(target)), target=target * 2)
    refused(OPINION.signature, root[0], SECRET, [root[1], root[2]])


@pytest.mark.parametrize(
    "transform",
    [
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
        "http://www.w3.org/TR/1999/REC-xpath-19991116",
        "http://www.w3.org/2002/06/xmldsig-filter2",
        "http://www.w3.org/2000/09/xmldsig#base64",
        alg.C14N,
        alg.ENVELOPED,
        alg.STR_TRANSFORM,
    ],
)
def test_no_other_transform(transform):
    target = f'<t xmlns:u="{ns.WSU}" u:Id="x">dGV4dA==</t>'
    octets = canonical.exclusive(etree.fromstring(target))
    root = signed("#x", octets, f'<ds:Transform Algorithm="{transform}"></ds:Transform>', target)
    refused(OPINION.signature, root[0], SECRET, [root[1]])


def test_no_md5():
    target = f'<t xmlns:u="{ns.WSU}" u:Id="x">text</t>'
    root = signed("#x", canonical.exclusive(etree.fromstring(target)), target=target, digest="md5")
    refused(OPINION.signature, root[0], SECRET, [root[1]])


def test_no_file_is_opened(tmp_path, capfd):
    secret = tmp_path / "secret.xml"
    secret.write_bytes(b"<s></s>")
    for uri in (secret.as_uri(), str(secret), f"{secret.as_uri()}#x"):
        for transform in (signature.C14N_TRANSFORM, ""):
            root = signed(uri, b"<s></s>", transform)
            refused(OPINION.signature, root[0], SECRET, [])
    octets = ciphers.encrypt(alg.AES256_GCM, SECRET, b"<a/>", os.urandom)
    secret.write_bytes(octets)
    refused(OPINION.decryption, by_reference(secret.as_uri()), alg.AES256_GCM, SECRET, b"<a/>")
    assert capfd.readouterr() == ("", "")


UNGATED = """
import sys, xmlsec
from lxml import etree
context = xmlsec.SignatureContext()
context.key = xmlsec.Key.from_binary_data(xmlsec.constants.KeyDataHmac, bytes(range(32)))
context.verify(etree.fromstring(sys.stdin.buffer.read())[0])
"""


def test_without_the_gate_the_file_would_have_been_opened(tmp_path):
    secret = tmp_path / "secret.xml"
    secret.write_bytes(b"<s></s>")
    document = etree.tostring(signed(secret.as_uri(), b"<s></s>"))
    subprocess.run([sys.executable, "-c", UNGATED], input=document, check=True)


def test_nothing_is_fetched(capfd):
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        uri = f"http://127.0.0.1:{server.server_port}/x"
        refused(OPINION.signature, signed(uri, b"<s></s>")[0], SECRET, [])
        refused(OPINION.decryption, by_reference(uri), alg.AES256_GCM, SECRET, b"<a/>")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert not asked
    assert capfd.readouterr() == ("", "")


def by_reference(uri):
    """An EncryptedData whose octets stand elsewhere."""
    element = encrypted(alg.AES256_GCM, b"")
    (data,) = element.iter(f"{{{ns.XENC}}}CipherData")
    data[0].tag, data[0].text = f"{{{ns.XENC}}}CipherReference", None
    data[0].set("URI", uri)
    return element


@pytest.mark.parametrize("uri", ["file:///etc/hostname", "http://127.0.0.1:1/x", "", "#xpointer(/)"])
def test_such_references_never_reach_it(uri):
    class Never(XmlsecOpinion):
        def signature(self, *_):
            raise AssertionError

    world = World("2", opinion=Never())
    root = etree.fromstring(world.request().data)
    next(root.iter(f"{{{ns.DS}}}Reference")).set("URI", uri)
    with pytest.raises(WSSecurityError) as caught:
        world.accept(etree.tostring(root))
    assert caught.value.reason is Reason.REFERENCE_URI


# running -------------------------------------------------------------------------------------------


def test_threads_share_one_opinion():
    worlds = [World(scenario, opinion=OPINION, client_opinion=OPINION) for scenario in "2358"]
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(worlds[n % 4].call, f"text {n}") for n in range(200)]
        assert [call.result().text for call in calls] == [f"text {n}" for n in range(200)]


def test_memory_is_flat():
    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    if not Path("/proc/self/statm").exists():
        pytest.skip("no /proc")
    world = World("5", opinion=OPINION)
    message = world.request().data
    tampered = message.replace(b"</ds:SignatureValue>", b"AAAA</ds:SignatureValue>")
    target = f'<t xmlns:u="{ns.WSU}" u:Id="x">text</t>'
    octets = canonical.exclusive(etree.fromstring(target))
    data = encrypted(alg.AES256_CBC, ciphers.encrypt(alg.AES256_CBC, SECRET, b"<a/>", os.urandom))

    def operations(count):
        for _ in range(count):
            root = signed("#x", octets, target=target)
            OPINION.signature(root[0], SECRET, [root[1]])
            OPINION.signature(root[0], SECRET, [root[1]])
            root[1].text = "tampered"
            refused(OPINION.signature, root[0], SECRET, [root[1]])
            OPINION.decryption(data, alg.AES256_CBC, SECRET, b"<a/>")
            refused(OPINION.decryption, data, alg.AES256_CBC, SECRET[::-1], b"<a/>")
        with pytest.raises(WSSecurityError):
            world.accept(tampered)

    operations(100)
    before = resident()
    operations(400)
    assert resident() - before < 1_500_000  # 2,000 operations; a leak of 1 KB each would show


def test_keys_are_remembered_but_not_without_end():
    opinion = XmlsecOpinion()
    for _ in range(3):
        World("2", opinion=opinion).call()
    known = opinion._public_key.cache_info()
    assert (known.currsize, known.hits, known.maxsize) == (1, 2, 256)


def test_without_xmlsec_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "xmlsec", None)
    with pytest.raises(ConfigurationError, match=r"wsprovider\[crosscheck\]"):
        XmlsecOpinion()


def test_importing_it_does_not_load_xmlsec():
    code = "import sys, wsprovider.exchange.crosschecking; sys.exit('xmlsec' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# what it cannot do ---------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", ["1", *SCENARIOS])
def test_the_scenarios_can_be_checked(scenario):
    for requirements in compile_policy(find(scenario).policy(), "test"):
        assert cannot_check(requirements.request) is None
        assert cannot_check(requirements.reply) is None


def test_what_cannot_be_checked_is_said():
    request = compile_policy(find("2").policy(), "test")[0].request
    assert isinstance(request.signature_token, X509Token)
    assert "STR-Transform" in cannot_check(replace(request, protect_tokens=True))
    suite = replace(request.suite, asymmetric_signatures=(alg.EDDSA_ED25519,))
    assert "eddsa" in cannot_check(replace(request, suite=suite))
