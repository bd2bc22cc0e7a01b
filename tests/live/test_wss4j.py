"""Apache WSS4J 4 builds requests piece by piece and judges our replies."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.live.conftest import Matrix
from tests.live.java_peer import JavaPeer
from tests.live.provider import SLUGS, ProviderProcess
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns

pytestmark = pytest.mark.live
SHA2 = {
    "signature": alg.RSA_SHA256,
    "digest": alg.SHA256,
    "encryption": alg.AES256_CBC,
    "keyTransport": alg.RSA_OAEP_MGF1P,
}
SIGNED = {"2", "3", "5", "6", "8"}
ENCRYPTED = {"4", "5", "6", "7", "8"}
CONFIRMED = {"3", "4", "5", "6", "7", "8"}


def call(cxf: JavaPeer, provider: ProviderProcess, path: str, number: str, **more: Any) -> dict[str, Any]:
    """One call by WSS4J alone."""
    return cxf.call(
        cmd="wss4j-call",
        url=provider.url(path, secure=number == "1"),
        scenario=int(number),
        **{**provider.client(), "text": "hello", "encryptUsernameToken": number in ("7", "8"), **more},
    )


def suite_of(number: str) -> dict[str, str]:
    """URIs for the default suite of a scenario."""
    suite = dict(SHA2)
    if number not in ("2", "5"):
        suite["signature"] = alg.HMAC_SHA256
    if number in ("4", "7"):
        suite["encryption"] = alg.AES256_GCM
    return suite


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize("number", list(SLUGS))
def test_reply_verifies(
    cxf: JavaPeer, provider: ProviderProcess, matrix: Matrix, number: str, soap: str
) -> None:
    """WSS4J finds in our reply exactly what the scenario promises."""
    answer = call(cxf, provider, f"/echo/{SLUGS[number]}", number, soap=soap, suite=suite_of(number))
    assert answer["ok"], answer
    assert answer["text"] == "hello"
    found = answer["results"]
    actions = [result["action"] for result in found]
    assert "TS" in actions
    envelope = ns.SOAP11 if soap == "1.1" else ns.SOAP12
    body = f"{{{envelope}}}Body"
    signed = {part for result in found if result["action"] == "SIGN" for part in result["parts"]}
    encrypted = {part for result in found if result["action"] == "ENCR" for part in result["parts"]}
    assert (body in signed) == (number in SIGNED)
    if number != "1":
        assert f"{{{ns.WSU}}}Timestamp" in signed
    assert bool(encrypted) == (number in ENCRYPTED)
    confirmations = [result for result in found if result["action"] == "SC"]
    assert bool(confirmations) == (number in CONFIRMED)
    assert all(result["matches"] for result in confirmations)
    if confirmations:
        assert f"{{{ns.WSSE11}}}SignatureConfirmation" in signed
    matrix.record("WSS4J 4.0", "Basic256GcmSha256" if number in "47" else "Basic256Sha256", number, soap)


@pytest.mark.parametrize("number", ["2", "5"])
@pytest.mark.parametrize(
    "reference",
    [
        "DirectReference",
        "Thumbprint",
        "SKIKeyIdentifier",
        "IssuerSerial",
        "IssuerSerialQuoteFormat",
        "X509KeyIdentifier",
    ],
)
def test_signature_reference(cxf: JavaPeer, provider: ProviderProcess, number: str, reference: str) -> None:
    """Every way to name the signing certificate."""
    answer = call(
        cxf,
        provider,
        f"/echo/{SLUGS[number]}",
        number,
        suite=suite_of(number),
        signatureKeyReference=reference,
    )
    assert answer["ok"], answer


@pytest.mark.parametrize("number", ["5", "6"])
@pytest.mark.parametrize(
    "reference",
    ["DirectReference", "Thumbprint", "SKIKeyIdentifier", "IssuerSerial", "X509KeyIdentifier", "X509SKI"],
)
def test_encryption_reference(cxf: JavaPeer, provider: ProviderProcess, number: str, reference: str) -> None:
    """Every way to name our certificate in an EncryptedKey."""
    answer = call(
        cxf,
        provider,
        f"/echo/{SLUGS[number]}",
        number,
        suite=suite_of(number),
        encryptionKeyReference=reference,
    )
    assert answer["ok"], answer


@pytest.mark.parametrize("version", ["200502", "200512"])
def test_derived_keys(cxf: JavaPeer, provider: ProviderProcess, version: str) -> None:
    """Keys derived by both versions of WS-SecureConversation, also in the reply."""
    answer = call(cxf, provider, "/echo/derived-keys", "6", suite=suite_of("6"), derivedKeys=version)
    assert answer["ok"], answer
    assert any(result["action"] == "DKT" for result in answer["results"])


WRONG = {
    "noTimestamp": "TIMESTAMP_MISSING",
    "staleTimestamp": "TIMESTAMP_EXPIRED",
    "unsignedTimestamp": "TIMESTAMP_NOT_SIGNED",
    "unsignedBody": "BODY_NOT_SIGNED",
    "plainBody": "BODY_NOT_ENCRYPTED",
    "unsignedUsernameToken": "TOKEN_NOT_SIGNED",
    "changedBody": "DIGEST_MISMATCH",
    "brokenSignatureValue": "SIGNATURE_VALUE",
}


@pytest.mark.parametrize(
    ("number", "wrong"),
    [
        *(("5", wrong) for wrong in WRONG if wrong not in ("changedBody", "unsignedUsernameToken")),
        *(("8", wrong) for wrong in WRONG if wrong != "changedBody"),
        ("2", "changedBody"),
    ],
)
def test_wrong_thing(cxf: JavaPeer, provider: ProviderProcess, number: str, wrong: str) -> None:
    """One thing wrong in a genuine message: the uniform fault outside, the Reason in the log."""
    path = f"/echo/{SLUGS[number]}"
    start = provider.log.stat().st_size
    answer = call(cxf, provider, path, number, suite=suite_of(number), addWrongThing=[wrong])
    assert not answer["ok"]
    assert answer["fault"]["code"].endswith("}InvalidSecurity"), answer
    logged = provider.log.read_bytes()[start:].decode()
    assert WRONG[wrong] in logged
    assert call(cxf, provider, path, number, suite=suite_of(number))["ok"]


def test_tampered_copy(cxf: JavaPeer, provider: ProviderProcess) -> None:
    """A genuine WSS4J message: changed it is refused, untouched accepted once, and then never again."""
    path = f"/echo/{SLUGS['2']}"
    made = call(cxf, provider, path, "2", suite=suite_of("2"), dryRun=True)
    message = base64.b64decode(made["request"])
    assert b">hello<" in message
    status, body = provider.post(path, message.replace(b">hello<", b">hullo<"))
    assert status == 500
    assert b"InvalidSecurity" in body
    assert provider.post(path, message)[0] == 200
    assert provider.post(path, message)[0] == 500
