"""Scenario 16 with Java clients that get their tickets by the JDK's GSS, from a throwaway KDC."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import Matrix
from tests.live.java_peer import JavaPeer
from tests.live.kdc import RC4, Kdc
from tests.live.kerberized import DOCUMENTS, HTTP, KINDS, OLD, OURS, USERS, WSO2S, policy
from tests.live.provider import ProviderProcess
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns
from wsprovider.words import uris

pytestmark = pytest.mark.live


JAAS = """\
Password {{
    com.sun.security.auth.module.Krb5LoginModule required refreshKrb5Config=true useTicketCache=false;
}};
Keytab {{
    com.sun.security.auth.module.Krb5LoginModule required refreshKrb5Config=true useKeyTab=true
    keyTab="{keytab}" principal="{principal}" doNotPrompt=true;
}};
"""
TEXT = "Grüße\r\n <b>&\"' ]]> \u2603"
METRO = {
    OURS: DOCUMENTS["/once"],
    WSO2S: DOCUMENTS["/once-basic256"],
    "/derived": policy(include="Once", derived=True),
    "/encrypted": policy(include="Once", encrypted=True),
    "/derived-encrypted": policy(include="Once", derived=True, encrypted=True),
    "/once": None,
    "/once-basic256": None,
}
"""Where Metro calls, and the policy that it takes instead of our WSDL's."""
HMAC = "ws-security.symmetric.signature.algorithm"


@pytest.fixture(scope="session")
def jaas(kdc: Kdc) -> Path:
    """The JDK's login: by the password that the application gives, or by a keytab."""
    file = kdc.folder / "jaas.conf"
    keytab = kdc.keytab("alice", file="java.keytab")
    file.write_text(JAAS.format(keytab=keytab, principal=kdc.full("alice")))
    return file


@dataclass
class Java:
    """A Java client of the places, and what it has to be told."""

    peer: JavaPeer
    kdc: Kdc
    provider: ProviderProcess
    jaas: Path

    def call(self, path: str, *, service: str = HTTP, login: str = "Password", **more: Any) -> dict[str, Any]:
        """One call, whatever comes of it."""
        secure = path == "/transport"
        sha1 = path in (WSO2S, "/once-basic256", "/old")
        own = {} if sha1 else {HMAC: alg.HMAC_SHA256}
        if login != "Password":
            who: dict[str, object] = {}
        else:
            who = {"principal": "alice", "principalPassword": USERS["alice"]}
        settings: dict[str, Any] = {
            "cmd": "cxf-call",
            "wsdl": self.provider.url(f"{path}?wsdl", secure=secure),
            "url": self.provider.url(path, secure=secure),
            "ca": self.provider.client()["ca"],
            "krb5Conf": self.kdc.krb5_conf,
            "jaas": self.jaas,
            "text": TEXT,
            "properties": {
                **own,
                "ws-security.kerberos.jaas.context": login,
                "ws-security.kerberos.spn": self.kdc.full(service),
                "ws-security.kerberos.is.username.in.servicename.form": "true",
            },
            **who,
        }
        return self.peer.call(**{**settings, **more})


@pytest.fixture
def java_cxf(cxf: JavaPeer, kdc: Kdc, kerberized: ProviderProcess, jaas: Path) -> Java:
    """Apache CXF."""
    return Java(cxf, kdc, kerberized, jaas)


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize("path", [OURS, WSO2S, *DOCUMENTS])
def test_cxf(java_cxf: Java, matrix: Matrix, path: str, soap: str) -> None:
    """CXF's KerberosClient, led by our WSDL."""
    answer = java_cxf.call(path, soap=soap, calls=3, record=True)
    assert answer["ok"], answer
    assert set(answer["texts"]) == {TEXT}
    if path in (OURS, WSO2S):
        matrix.record("CXF 4.2", "Basic256" if "wso2" in path else "Basic256Sha256", "16", soap)


def permitting(kdc: Kdc, kind: str) -> Path:
    """A krb5.conf of a client that knows one type of encryption only."""
    file = kdc.folder / f"{kind}.conf"
    lines = kdc.krb5_conf.read_text().splitlines()
    key = "permitted_enctypes"
    file.write_text("\n".join(f"{key} = {kind}" if key in line else line for line in lines) + "\n")
    return file


@pytest.mark.parametrize("service", list(KINDS))
def test_cxf_with_each_type_of_encryption(java_cxf: Java, service: str) -> None:
    """Ticket, its key and the sub-key, of one type; CXF asks for the length that the suite names."""
    conf = permitting(java_cxf.kdc, KINDS[service])
    bits = 128 if "128" in service else 256
    for path in ("/basic128", "/derived-basic128") if bits == 128 else (OURS, "/derived-encrypted"):
        answer = java_cxf.call(path, service=service, krb5Conf=conf)
        assert answer["ok"], answer


def test_cxf_with_rc4(java_cxf: Java) -> None:
    """Refused, and accepted where it is named."""
    conf, provider = permitting(java_cxf.kdc, RC4), java_cxf.provider
    since = provider.logged()
    assert not java_cxf.call(OURS, service=OLD, krb5Conf=conf)["ok"]
    (line,) = provider.requests(since, 1)
    assert (line["reason"], line["detail"]) == (
        "TICKET_ENCTYPE",
        "encryption type rc4-hmac is not allowed",
    )
    answer = java_cxf.call("/old", service=OLD, krb5Conf=conf)
    assert answer["ok"], answer


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize("path", list(METRO))
def test_metro(
    metro: JavaPeer,
    kdc: Kdc,
    kerberized: ProviderProcess,
    jaas: Path,
    matrix: Matrix,
    tmp_path: Path,
    path: str,
    soap: str,
) -> None:
    """Metro calls only where the policy says IncludeToken/Once: our document's, or its own copy of the scenario's."""
    java, text = Java(metro, kdc, kerberized, jaas), TEXT.replace("\r", "")
    document = METRO[path]
    settings = {"cmd": "metro-call", "loginModule": "Keytab", "servicePrincipal": kdc.full(HTTP)}
    if document is not None:
        settings["policy"] = str(tmp_path / "policy.xml")
        (tmp_path / "policy.xml").write_text(document)
    answer = java.call(path, soap=soap, calls=3, text=text, **settings)
    assert answer["ok"], answer
    assert set(answer["texts"]) == {text}
    if path in (OURS, WSO2S):
        matrix.record("Metro 4.0", "Basic256" if path == WSO2S else "Basic256Sha256", "16", soap)


def test_metro_refuses_to_call_otherwise(
    metro: JavaPeer, kdc: Kdc, kerberized: ProviderProcess, jaas: Path
) -> None:
    """To the letter of the scenario's policy, as WSO2 has it, no message leaves Metro."""
    since = kerberized.logged()
    settings = {"cmd": "metro-call", "loginModule": "Keytab", "servicePrincipal": kdc.full(HTTP)}
    answer = Java(metro, kdc, kerberized, jaas).call(OURS, **settings)
    assert not answer["ok"]
    assert "Securing Outbound" in answer["error"]
    assert kerberized.requests(since) == []


def test_cxf_from_wso2_policy_file(java_cxf: Java, wso2_policies: Path, matrix: Matrix) -> None:
    """WSO2's own file beside our WSDL's policy, with WSO2's wrapper around what is in Wss11."""
    file = wso2_policies / "scenario20-policy.xml"  # WSO2's number of what its documentation calls 16
    assert "kerberossignandencrypt" in file.read_text()
    answer = java_cxf.call(WSO2S, policy=file)
    assert answer["ok"], answer
    matrix.record("CXF 4.2, WSO2's files", "Basic256", "16", "1.1")


def test_many_cxf_clients_at_once(java_cxf: Java) -> None:
    """Each asks the KDC for itself; every reply goes to who asked."""
    answer = java_cxf.call(OURS, calls=5, parallel=4, login="Keytab")
    assert answer["ok"], answer
    assert answer["texts"] == [TEXT] * 20


def wss4j(java: Java, path: str, **more: Any) -> dict[str, Any]:
    """A call by WSS4J alone, under the Basic Security Profile."""
    signature, digest = (alg.HMAC_SHA1, alg.SHA1) if path == WSO2S else (alg.HMAC_SHA256, alg.SHA256)
    settings: dict[str, Any] = {
        "cmd": "wss4j-call",
        "scenario": 16,
        "loginModule": "Password",
        "servicePrincipal": java.kdc.full(HTTP),
        "suite": {"signature": signature, "digest": digest, "encryption": alg.AES256_CBC},
    }
    return java.call(path, **{**settings, **more})


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize("path", [OURS, WSO2S])
def test_wss4j(java_cxf: Java, matrix: Matrix, path: str, soap: str) -> None:
    """WSS4J finds in our reply what the scenario promises, and nothing beside."""
    answer = wss4j(java_cxf, path, soap=soap)
    assert answer["ok"], answer
    assert answer["text"] == TEXT
    found = {result["action"]: result for result in answer["results"]}
    assert set(found) == {"TS", "SC", "SIGN"}
    assert found["SC"]["matches"]
    envelope = ns.SOAP11 if soap == "1.1" else ns.SOAP12
    signed = {f"{{{envelope}}}Body", f"{{{ns.WSU}}}Timestamp", f"{{{ns.WSSE11}}}SignatureConfirmation"}
    assert set(found["SIGN"]["parts"]) == signed
    matrix.record("WSS4J 4.0", "Basic256" if "wso2" in path else "Basic256Sha256", "16", soap)


@pytest.mark.parametrize("path", ["/derived", "/encrypted", "/derived-encrypted"])
def test_wss4j_under_the_documents(java_cxf: Java, path: str) -> None:
    """Keys derived from the ticket's, and encryption with it."""
    derived, encrypted = "200512" if "derived" in path else None, "encrypted" in path
    answer = wss4j(
        java_cxf,
        path,
        derivedKeys=derived,
        encryptBody=encrypted,
        derivedSignatureBytes=32 if derived else None,
    )
    assert answer["ok"], answer
    actions = {result["action"] for result in answer["results"]}
    assert actions >= {"TS", "SC", "SIGN"}
    assert ("DKT" in actions, "ENCR" in actions) == (derived is not None, encrypted)


def test_a_key_that_is_too_short_to_encrypt_with(java_cxf: Java) -> None:
    """WSS4J takes a ticket's 128 bits for AES-256 and says so in no way; what is derived has the right length."""
    service = "HTTP/aes128-sha1"
    conf = permitting(java_cxf.kdc, KINDS[service])
    more = {"servicePrincipal": java_cxf.kdc.full(service), "krb5Conf": conf, "encryptBody": True}
    provider, since = java_cxf.provider, java_cxf.provider.logged()
    assert not wss4j(java_cxf, "/encrypted", **more)["ok"]
    (line,) = provider.requests(since, 1)
    assert line["reason"] == "KEY_SIZE"
    derived = wss4j(java_cxf, "/derived-encrypted", derivedKeys="200512", derivedSignatureBytes=32, **more)
    assert derived["ok"], derived


def test_wss4j_names_the_ticket_in_later_messages(java_cxf: Java) -> None:
    """In WSS4J's form of the reference; refused where that is turned off."""
    answer = wss4j(java_cxf, OURS, later=True, calls=5)
    assert answer["ok"], answer
    assert len(answer["texts"]) == 5
    request = base64.b64decode(answer["request"])
    assert b"BinarySecurityToken" not in request
    assert uris.KERBEROS_AP_REQ_SHA1.encode() in request
    provider, since = java_cxf.provider, java_cxf.provider.logged()
    answer = wss4j(java_cxf, "/forgetful", later=True, calls=2)
    assert not answer["ok"]
    assert [line["reason"] for line in provider.requests(since, 2)] == [None, "TICKET_UNKNOWN"]
