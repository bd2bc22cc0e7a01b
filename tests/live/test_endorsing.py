"""Endorsing supporting tokens: a certificate signs the message signature, and is who calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.live.java_peer import JavaPeer
from tests.live.provider import BY_THUMBPRINT, ENDORSING, ROOT, ProviderProcess
from tests.live.test_cxf import SHA2, TEXT
from tests.simulator import pki

pytestmark = pytest.mark.live

WITHOUT = {
    "endorsing": "sign-encrypt-anonymous",
    "endorsing-encrypted": "sign-encrypt-anonymous",
    "signed-endorsing": "sign-encrypt-x509",
    "signed-endorsing-encrypted": "sign-encrypt-anonymous",
}
"""The scenario that is the same but for the endorsing token."""


def call(cxf: JavaPeer, provider: ProviderProcess, name: str, wsdl: str = "", **more: Any) -> dict[str, Any]:
    """One call by CXF."""
    secure = name.startswith("transport")
    return cxf.call(
        cmd="cxf-call",
        wsdl=provider.url(f"/echo/{wsdl or name}?wsdl", secure=secure),
        url=provider.url(f"/echo/{name}", secure=secure),
        properties=SHA2,
        **{**provider.client(), "text": TEXT, **more},
    )


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize("name", ENDORSING)
def test_the_certificate_says_who_calls(
    cxf: JavaPeer, provider: ProviderProcess, name: str, soap: str
) -> None:
    """CXF endorses as the WSDL asks; the principal is the partner whose certificate that is."""
    for client in ("client-1", "client-2"):
        since = provider.logged()
        answer = call(cxf, provider, name, soap=soap, **provider.client(client))
        assert answer["ok"], answer
        assert answer["text"] == TEXT
        (line,) = provider.requests(since, 1)
        assert line["principal"] == client


@pytest.mark.parametrize("name", ENDORSING)
def test_a_stranger_is_refused(cxf: JavaPeer, provider: ProviderProcess, tmp_path: Path, name: str) -> None:
    """A certificate that nobody trusts endorses nothing."""
    stranger = tmp_path / "stranger.p12"
    made = pki.self_signed("CN=stranger", key=pki.key("rsa-2048", "stranger"))
    stranger.write_bytes(made.pkcs12("development"))
    since = provider.logged()
    answer = call(cxf, provider, name, client=stranger)
    assert not answer["ok"]
    assert answer["fault"]["code"].endswith("}InvalidSecurity")
    (line,) = provider.requests(since, 1)
    assert line["reason"].startswith("CERTIFICATE_"), line


@pytest.mark.parametrize("name", list(WITHOUT))
def test_without_it_a_message_is_refused(cxf: JavaPeer, provider: ProviderProcess, name: str) -> None:
    """CXF is led to believe that nothing has to be endorsed."""
    since = provider.logged()
    answer = call(cxf, provider, name, wsdl=WITHOUT[name])
    assert not answer["ok"]
    assert answer["fault"]["code"].endswith("}InvalidSecurity")
    (line,) = provider.requests(since, 1)
    assert line["reason"] == "TOKEN_MISSING"
    assert call(cxf, provider, WITHOUT[name])["ok"]


def test_one_certificate_under_two_names(cxf: JavaPeer, provider: ProviderProcess) -> None:
    """CXF sends it once for each signature; named by its thumbprint it is one answer all the same."""
    since = provider.logged()
    answer = cxf.call(
        cmd="cxf-call",
        wsdl=provider.url(f"/sha1/{BY_THUMBPRINT}?wsdl"),
        properties=SHA2,
        text="x",
        **provider.client(),
    )
    assert answer["ok"], answer
    (line,) = provider.requests(since, 1)
    assert line["principal"] == "client-1"


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize("name", ENDORSING)
def test_rampart(rampart: JavaPeer, provider: ProviderProcess, name: str, soap: str) -> None:
    """Led by the document itself; it signs with SHA-1 by certificates, and makes keys of 128 bits."""
    since = provider.logged()
    answer = rampart.call(
        cmd="rampart-call",
        policy=ROOT / "services" / "echo" / "policies" / f"{name}.xml",
        url=provider.url(f"/sha1/{name}", secure=name.startswith("transport")),
        soap=soap,
        text="x",
        **provider.client("client-2"),
    )
    assert answer["ok"], answer
    (line,) = provider.requests(since, 1)
    assert line["principal"] == "client-2"
