"""What the compiler of policies refuses, each with the twin that it compiles."""

from dataclasses import replace

import pytest

from tests.simulator.world import policy
from wsprovider.policy import model
from wsprovider.policy.requirements import Protection, compile_policy
from wsprovider.scenarios import blocks
from wsprovider.scenarios.catalogue import find
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.suites import SUITES

SUITE = SUITES["Basic256Sha256"]
X509 = blocks.X509_IN_REQUEST


def supporting(token: model.Token, **marks: object) -> model.Policy:
    return policy(
        "8", alternative={"supporting": (model.SupportingTokens((token,), **{"signed": True, **marks}),)}
    )


UT = model.UsernameToken()
DERIVED = model.DerivedKeys
REFUSED = {
    "no alternative": (model.Policy("x", ()), "no alternative"),
    "two orders": (
        model.Policy(
            "x", (*policy("6").alternatives, *policy("6", encrypt_before_signing=True).alternatives)
        ),
        "protection order",
    ),
    "HTTP basic": (
        policy("1", token=model.HttpsToken(model.ClientAuthentication.BASIC)),
        "HttpBasicAuthentication",
    ),
    "HTTP digest": (
        policy("1", token=model.HttpsToken(model.ClientAuthentication.DIGEST)),
        "HttpDigestAuthentication",
    ),
    "two protection tokens": (policy("3", signature_token=X509), "same token"),
    "Kerberos": (find("16").policy(SUITE), "KerberosToken"),
    "conversation": (find("9").policy(SUITE), "SecureConversationToken"),
    "derived keys of a certificate": (
        policy("2", initiator_signature=replace(X509, derived_keys=DERIVED.REQUIRED)),
        "proves no client key",
    ),
    "implied derived keys": (
        policy("3", signature_token=(t := replace(X509, derived_keys=DERIVED.IMPLIED)), encryption_token=t),
        "RequireImpliedDerivedKeys",
    ),
    "endorsing": (supporting(UT, endorsing=True), "endorsing"),
    "parts of a supporting token": (supporting(UT, signed_parts=model.Parts(body=True)), "parts inside"),
    "X509 as supporting token": (supporting(X509), "X509Token as supporting token"),
    "derived from a password": (
        supporting(replace(UT, derived_keys=DERIVED.REQUIRED)),
        "derived from a UsernameToken",
    ),
    "no password": (supporting(replace(UT, password=model.Password.NONE)), "NoPassword"),
    "two user names": (
        policy("8", alternative={"supporting": (model.SupportingTokens((UT, UT), signed=True),)}),
        "more than one",
    ),
    "nothing protected": (
        policy("3", signed=blocks.NOTHING, timestamp=False, alternative={"wss": model.Wss()}),
        "protects nothing",
    ),
    "nothing signed": (
        policy("4", timestamp=False),
        "replay",
    ),
    "no signature token": (policy("2", initiator_signature=None), "no signature token"),
    "no encryption token": (policy("5", recipient_encryption=None), "no encryption token"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    bent, sentence = REFUSED[name]
    with pytest.raises(ConfigurationError, match=sentence) as refused:
        compile_policy(bent, "where")
    assert {problem.where for problem in refused.value.problems} == {"where"}


@pytest.mark.parametrize("scenario", ["1", "2", "3", "4", "5", "6", "7", "8"])
@pytest.mark.parametrize("suite", sorted(SUITES))
def test_compiled(scenario, suite):
    (compiled,) = compile_policy(find(scenario).policy(SUITES[suite]), "where")
    assert compiled.request.suite is SUITES[suite]
    assert compiled.request.request
    assert not compiled.reply.request
    transport = compiled.request.protection is Protection.TRANSPORT
    assert compiled.request.has_signature is not transport
    assert not compiled.client_certificate


def test_every_problem_is_listed_at_once():
    bent = policy(
        "2",
        initiator_signature=replace(X509, derived_keys=DERIVED.REQUIRED),
        alternative={"supporting": (model.SupportingTokens((X509,), endorsing=True),)},
    )
    with pytest.raises(ConfigurationError) as refused:
        compile_policy(bent, "where")
    assert len(refused.value.problems) == 3


def test_a_client_certificate_of_tls():
    (compiled,) = compile_policy(
        policy("1", token=model.HttpsToken(model.ClientAuthentication.CERTIFICATE)), "where"
    )
    assert compiled.client_certificate
