"""Apache Rampart on Axis2, unmodified, led by WSO2's own policy files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import Matrix
from tests.live.java_peer import JavaPeer
from tests.live.provider import SLUGS, ProviderProcess

pytestmark = pytest.mark.live
TEXT = "Grüße\n <b>&\"' ]]> \u2603"


def call(
    rampart: JavaPeer, provider: ProviderProcess, path: str, policy: Path, **more: Any
) -> dict[str, Any]:
    """One call."""
    secure = path.endswith(SLUGS["1"])
    return rampart.call(
        cmd="rampart-call",
        policy=policy,
        url=provider.url(path, secure=secure),
        **{**provider.client(), "text": TEXT, **more},
    )


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize("number", list(SLUGS))
def test_scenario(
    rampart: JavaPeer,
    provider: ProviderProcess,
    matrix: Matrix,
    wso2_policies: Path,
    number: str,
    soap: str,
) -> None:
    """Each scenario under WSO2's suite, in both versions of SOAP."""
    policy = wso2_policies / f"scenario{number}-policy.xml"
    answer = call(rampart, provider, f"/wso2/{SLUGS[number]}", policy, soap=soap)
    assert answer["ok"], answer
    assert answer["text"] == TEXT
    matrix.record("Rampart 1.7, WSO2's files", "Basic256", number, soap)


@pytest.mark.parametrize("suite", ["Basic128", "Basic256Sha256", "Basic256Rsa15"])
@pytest.mark.parametrize("number", ["2", "3", "4", "5", "6", "7", "8"])
def test_suite(
    rampart: JavaPeer,
    provider: ProviderProcess,
    matrix: Matrix,
    wso2_policies: Path,
    number: str,
    suite: str,
) -> None:
    """The same files with another suite in them."""
    policy = wso2_policies / f"scenario{number}-policy.xml"
    answer = call(rampart, provider, f"/suite/{suite}/{SLUGS[number]}", policy, suite=suite)
    assert answer["ok"], answer
    matrix.record("Rampart 1.7, WSO2's files", suite, number, "1.1")


@pytest.mark.parametrize("number", ["1", "7", "8"])
def test_password_digest(
    rampart: JavaPeer, provider: ProviderProcess, wso2_policies: Path, number: str
) -> None:
    """A client may choose a digest; a wrong password is refused all the same."""
    policy = wso2_policies / f"scenario{number}-policy.xml"
    path = f"/wso2/{SLUGS[number]}"
    assert call(rampart, provider, path, policy, passwordType="PasswordDigest")["ok"]
    refused = call(rampart, provider, path, policy, passwordType="PasswordDigest", password="guess")
    assert not refused["ok"]
    assert refused["fault"]["code"].endswith("}InvalidSecurity")


@pytest.mark.parametrize("number", ["2", "5", "6", "8"])
def test_addressing(rampart: JavaPeer, provider: ProviderProcess, wso2_policies: Path, number: str) -> None:
    """WS-Addressing headers are answered."""
    policy = wso2_policies / f"scenario{number}-policy.xml"
    answer = call(rampart, provider, f"/wso2/{SLUGS[number]}", policy, addressing=True)
    assert answer["ok"], answer


def test_unknown_certificate(
    rampart: JavaPeer, provider: ProviderProcess, wso2_policies: Path, tmp_path: Path
) -> None:
    """A certificate that nobody trusts is refused; a trusted one is accepted."""
    from tests.simulator import pki

    stranger = tmp_path / "stranger.p12"
    stranger.write_bytes(
        pki.self_signed("CN=stranger", key=pki.key("rsa-2048", "stranger")).pkcs12("development")
    )
    policy = wso2_policies / "scenario2-policy.xml"
    path = f"/wso2/{SLUGS['2']}"
    refused = call(rampart, provider, path, policy, client=stranger)
    assert not refused["ok"]
    assert call(rampart, provider, path, policy)["ok"]
