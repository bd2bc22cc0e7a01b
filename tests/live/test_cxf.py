"""Apache CXF 4, unmodified, sets itself up from our WSDL and is answered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import Matrix
from tests.live.java_peer import JavaPeer
from tests.live.provider import SLUGS, ProviderProcess
from wsprovider.words import algorithms as alg
from wsprovider.words.suites import SUITES

pytestmark = pytest.mark.live

SHA2 = {
    "ws-security.asymmetric.signature.algorithm": alg.RSA_SHA256,
    "ws-security.symmetric.signature.algorithm": alg.HMAC_SHA256,
}
"""CXF signs with SHA-1 under every suite unless it is told otherwise."""
CUSTOM = "ws-security.custom.alg.suite."
TEXT = "Grüße\r\n <b>&\"' ]]> \u2603"


def properties(suite: str) -> dict[str, object]:
    """What a CXF client has to set for a suite."""
    found = SUITES[suite]
    # the Basic Security Profile of 2006 knows no 192-bit AES and no GCM
    beyond = {"ws-security.is-bsp-compliant": "false"} if found.symmetric_bits == 192 else {}
    if not found.custom:
        return {**beyond, **(SHA2 if "Sha256" in suite else {})}
    return {
        **beyond,
        **SHA2,
        f"{CUSTOM}digest.algorithm": alg.SHA256,
        f"{CUSTOM}encryption.algorithm": found.encryptions[0],
        f"{CUSTOM}symmetric.key.encryption.algorithm": alg.KW_AES256,
        f"{CUSTOM}asymmetric.key.encryption.algorithm": alg.RSA_OAEP_MGF1P,
        f"{CUSTOM}asymmetric.signature": alg.RSA_SHA256,
        f"{CUSTOM}symmetric.signature": alg.HMAC_SHA256,
        f"{CUSTOM}minimum.symmetric.key.length": found.symmetric_bits,
        f"{CUSTOM}maximum.symmetric.key.length": found.symmetric_bits,
    }


def call(cxf: JavaPeer, provider: ProviderProcess, path: str, **more: Any) -> dict[str, Any]:
    """One call that must succeed, unless the test looks at ``ok`` itself."""
    secure = path.endswith(SLUGS["1"])
    return cxf.call(
        cmd="cxf-call",
        wsdl=provider.url(f"{path}?wsdl", secure=secure),
        url=provider.url(path, secure=secure),
        **{**provider.client(), "text": TEXT, **more},
    )


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize("number", list(SLUGS))
@pytest.mark.parametrize("family", ["echo", "wso2"])
def test_scenario(
    cxf: JavaPeer,
    provider: ProviderProcess,
    matrix: Matrix,
    family: str,
    number: str,
    soap: str,
) -> None:
    """Each scenario, under our suites and under WSO2's, in both versions of SOAP."""
    suite = "Basic256" if family == "wso2" else default_suite(number)
    answer = call(
        cxf,
        provider,
        f"/{family}/{SLUGS[number]}",
        soap=soap,
        properties=properties(suite),
    )
    assert answer["ok"], answer
    assert answer["text"] == TEXT
    matrix.record("CXF 4.2", suite, number, soap)


@pytest.mark.parametrize("number", ["2", "5", "6", "8"])
@pytest.mark.parametrize("suite", [name for name in SUITES if "Rsa15" not in name])
def test_suite(cxf: JavaPeer, provider: ProviderProcess, matrix: Matrix, suite: str, number: str) -> None:
    """Every suite with OAEP."""
    answer = call(cxf, provider, f"/suite/{suite}/{SLUGS[number]}", properties=properties(suite))
    assert answer["ok"], answer
    assert answer["text"] == TEXT
    matrix.record("CXF 4.2", suite, number, "1.1")


@pytest.mark.parametrize("number", list(SLUGS))
def test_from_wso2_policy_file(
    cxf: JavaPeer,
    provider: ProviderProcess,
    matrix: Matrix,
    wso2_policies: Path,
    number: str,
    tmp_path: Path,
) -> None:
    """CXF led by WSO2's own policy files instead of our WSDL's policy.

    Scenario 5 stands out: its file has Wss10 beside Wss11, which CXF reads, but its wrapper must be
    ``wsp:Policy`` for CXF to see what is inside; the top folder's files have that.
    """
    policy = wso2_policies / f"scenario{number}-policy.xml"
    answer = call(cxf, provider, f"/wso2/{SLUGS[number]}", policy=policy)
    assert answer["ok"], answer
    assert answer["text"] == TEXT
    matrix.record("CXF 4.2, WSO2's files", "Basic256", number, "1.1")


@pytest.mark.parametrize(
    "path",
    [
        "/echo/derived-keys",
        "/echo/encrypt-before-signing",
        "/echo/encrypt-signature",
        "/echo/protect-tokens",
        "/echo/password-digest",
    ],
)
@pytest.mark.parametrize("soap", ["1.1", "1.2"])
def test_policy_document(cxf: JavaPeer, provider: ProviderProcess, path: str, soap: str) -> None:
    """The policy documents beside the scenarios."""
    answer = call(cxf, provider, path, soap=soap, properties=SHA2)
    assert answer["ok"], answer
    assert answer["text"] == TEXT


@pytest.mark.parametrize("number", list(SLUGS))
def test_addressing(cxf: JavaPeer, provider: ProviderProcess, number: str) -> None:
    """WS-Addressing headers that must be understood are, and are answered."""
    suite = default_suite(number)
    answer = call(
        cxf,
        provider,
        f"/echo/{SLUGS[number]}",
        addressing=True,
        properties=properties(suite),
    )
    assert answer["ok"], answer
    assert answer["text"] == TEXT


def default_suite(number: str) -> str:
    """The suite of a scenario under ``/echo``."""
    return "Basic256GcmSha256" if number in ("4", "7") else "Basic256Sha256"


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
def test_wrong_password(cxf: JavaPeer, provider: ProviderProcess, soap: str) -> None:
    """Refused with the uniform fault; the right password is accepted."""
    path = f"/echo/{SLUGS['8']}"
    refused = call(cxf, provider, path, soap=soap, properties=SHA2, password="guess")
    assert not refused["ok"]
    codes = [refused["fault"]["code"], *refused["fault"]["subcodes"]]
    assert any(code.endswith("}InvalidSecurity") for code in codes)
    assert call(cxf, provider, path, soap=soap, properties=SHA2)["ok"]


def test_two_clients_at_once(cxf: JavaPeer, provider: ProviderProcess) -> None:
    """Two certificates, many calls in parallel: every reply goes to who asked."""

    def called(name: str) -> dict[str, Any]:
        path = f"/echo/{SLUGS['5']}"
        more = {**provider.client(name), "text": name, "calls": 5, "parallel": 3}
        return call(cxf, provider, path, properties=SHA2, **more)

    names = ("client-1", "client-2")
    with ThreadPoolExecutor(len(names)) as pool:
        for name, answer in zip(names, pool.map(called, names), strict=True):
            assert answer["ok"], answer
            assert set(answer["texts"]) == {name}


@pytest.mark.parametrize("number", ["2", "5", "8"])
@pytest.mark.parametrize("size", [1_000_000, 10_000_000], ids=["1 MB", "10 MB"])
def test_big_body(cxf: JavaPeer, provider: ProviderProcess, number: str, size: int) -> None:
    """Bodies of a megabyte and of ten."""
    text = "0123456789" * (size // 10)
    answer = call(
        cxf,
        provider,
        f"/echo/{SLUGS[number]}",
        properties=SHA2,
        text=text,
        timeoutMillis=120_000,
    )
    assert answer["ok"], answer
    assert answer["text"] == text


PAYLOADS = {
    "cdata": "<e:echo xmlns:e='urn:wsprovider:echo'><e:text><![CDATA[a<b>&c]]></e:text></e:echo>",
    "default namespace": "<echo xmlns='urn:wsprovider:echo'><text>x</text></echo>",
    "prefix reused": ("<soap:echo xmlns:soap='urn:wsprovider:echo'><soap:text>x</soap:text></soap:echo>"),
    "prefix rebound": (
        "<wsu:echo xmlns:wsu='urn:wsprovider:echo' xmlns:ds='urn:x'>"
        "<wsu:text xmlns:ds='urn:y'>x</wsu:text></wsu:echo>"
    ),
    "comment": ("<e:echo xmlns:e='urn:wsprovider:echo'><e:text>a<!-- not there -->b</e:text></e:echo>"),
}


@pytest.mark.parametrize("number", ["2", "5", "8"])
@pytest.mark.parametrize("name", list(PAYLOADS))
def test_payload(cxf: JavaPeer, provider: ProviderProcess, number: str, name: str) -> None:
    """What XML allows in a Body reaches the service whole."""
    answer = call(
        cxf,
        provider,
        f"/echo/{SLUGS[number]}",
        properties=SHA2,
        text=None,
        payload=PAYLOADS[name],
    )
    assert answer["ok"], answer
    expected = {"cdata": "a<b>&c", "comment": "ab"}.get(name, "x")
    assert answer["text"] == expected
