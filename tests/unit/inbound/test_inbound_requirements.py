"""What the compiler of policies refuses, each with the twin that it compiles."""

from dataclasses import replace

import pytest

from tests.simulator.world import policy
from wsprovider.policy import model
from wsprovider.policy.compile import compile_policy
from wsprovider.policy.requirements import Protection
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


def conversing(bootstrap: model.Policy | None, **token: object) -> model.Policy:
    named = replace(SCT, bootstrap=bootstrap, **token)
    return policy("11", signature_token=named, encryption_token=named)


UT = model.UsernameToken()
SCT = model.SecureConversationToken(model.Inclusion.ALWAYS_TO_RECIPIENT, bootstrap=policy("6"))
DERIVED = model.DerivedKeys
REFUSED = {
    "no alternative": (model.Policy("x", ()), "no alternative"),
    "two orders": (
        model.Policy(
            "x", (*policy("6").alternatives, *policy("6", encrypt_before_signing=True).alternatives)
        ),
        "protection order",
    ),
    "HTTP basic beside a user name": (
        policy("1", token=model.HttpsToken(model.ClientAuthentication.BASIC)),
        "names two users",
    ),
    "HTTP digest": (
        policy("1", token=model.HttpsToken(model.ClientAuthentication.DIGEST)),
        "HttpDigestAuthentication",
    ),
    "two protection tokens": (policy("3", signature_token=X509), "same token"),
    "conversation without a bootstrap": (conversing(None), "BootstrapPolicy"),
    "conversation in a conversation": (conversing(find("9").policy(SUITE)), "cannot be a conversation"),
    "bootstrap that encrypts nothing": (conversing(find("2").policy(SUITE)), "must encrypt the Body"),
    "bootstrap of two alternatives, one in clear": (
        conversing(model.Policy("x", (*policy("5").alternatives, *policy("3").alternatives))),
        "must encrypt the Body",
    ),
    "bootstrap that does nothing": (conversing(model.Policy("x", ())), "no alternative"),
    "bootstrap of another order": (
        conversing(policy("5", encrypt_before_signing=True)),
        "protection order",
    ),
    "bootstrap by a ticket that encrypts nothing": (
        conversing(find("16").policy(SUITE)),
        "must encrypt the Body",
    ),
    "conversation for one use only": (policy("3", signature_token=SCT), "same token"),
    "conversation in an asymmetric binding": (
        policy("5", initiator_signature=SCT),
        "SecureConversationToken as initiator_signature",
    ),
    "conversation as supporting token": (supporting(SCT), "SecureConversationToken as supporting token"),
    "conversation as endorsing token": (
        supporting(SCT, endorsing=True),
        "SecureConversationToken as endorsing",
    ),
    "derived keys of a certificate": (
        policy("2", initiator_signature=replace(X509, derived_keys=DERIVED.REQUIRED)),
        "proves no client key",
    ),
    "implied derived keys of a certificate": (
        policy("2", initiator_signature=replace(X509, derived_keys=DERIVED.IMPLIED)),
        "proves no client key",
    ),
    "derived keys of an endorsing certificate": (
        supporting(replace(X509, derived_keys=DERIVED.REQUIRED), endorsing=True),
        "keys derived from an endorsing token",
    ),
    "signed endorsing certificate that never comes along": (
        supporting(blocks.X509_BY_THUMBPRINT, endorsing=True),
        "no request includes",
    ),
    "two endorsing": (
        policy("8", alternative={"supporting": (model.SupportingTokens((X509, X509), endorsing=True),)}),
        "more than one endorsing",
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


CONVERSATIONS = ["9", "10", "11", "12", "13", "13e", "14", "15"]


@pytest.mark.parametrize("scenario", CONVERSATIONS)
def test_conversations_compiled(scenario):
    (compiled,) = compile_policy(find(scenario).policy(SUITE), "where")
    conversation = compiled.conversation
    assert compiled.request.in_context
    assert compiled.reply.in_context
    assert conversation.bits == SUITE.symmetric_bits
    assert conversation.client_entropy
    assert conversation.server_entropy
    (bootstrap,) = conversation.bootstrap
    assert not bootstrap.request.in_context
    assert bootstrap.request.encrypted.body
    assert bootstrap.reply.encrypted.body


@pytest.mark.parametrize(
    ("token", "kinds"),
    [
        ({}, {"cancel": True, "renew": True}),
        ({"must_not_send_cancel": True}, {"cancel": False, "renew": True}),
        ({"must_not_send_renew": True}, {"cancel": True, "renew": False}),
    ],
)
def test_what_a_conversation_lets_its_client_ask_for(token, kinds):
    (compiled,) = compile_policy(conversing(policy("6"), **token), "where")
    assert {name: getattr(compiled.conversation, name) for name in kinds} == kinds


@pytest.mark.parametrize(
    ("wanted", "derived", "implied"),
    [(DERIVED.NONE, False, False), (DERIVED.REQUIRED, True, False), (DERIVED.IMPLIED, True, True)],
)
def test_derived_keys_of_a_conversation(wanted, derived, implied):
    (compiled,) = compile_policy(conversing(policy("6"), derived_keys=wanted), "where")
    for message in (compiled.request, compiled.reply):
        assert (message.signature_derived, message.encryption_derived) == (derived, derived)
        assert message.implied_keys is implied


def test_a_bootstrap_over_tls_need_not_encrypt():
    (compiled,) = compile_policy(conversing(find("1").policy(SUITE)), "where")
    assert compiled.conversation.bootstrap[0].request.protection is Protection.TRANSPORT


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
        alternative={"supporting": (model.SupportingTokens((X509, X509, SCT, UT), endorsing=True),)},
    )
    with pytest.raises(ConfigurationError) as refused:
        compile_policy(bent, "where")
    assert len(refused.value.problems) == 4


def test_a_client_certificate_of_tls():
    (compiled,) = compile_policy(
        policy("1", token=model.HttpsToken(model.ClientAuthentication.CERTIFICATE)), "where"
    )
    assert compiled.client_certificate
