"""Reading what was written gives the same value, or it was not written."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from lxml import etree

from wsprovider.policy.model import (
    Alternative,
    AsymmetricBinding,
    ClientAuthentication,
    DerivedKeys,
    HeaderPart,
    HttpsToken,
    Inclusion,
    KerberosToken,
    KerberosTokenType,
    KeyReference,
    Layout,
    Parts,
    Password,
    Policy,
    SecureConversationToken,
    SupportingTokens,
    SymmetricBinding,
    TransportBinding,
    TrustOption,
    UsernameToken,
    UsernameTokenType,
    Wss,
    X509Token,
    X509TokenType,
)
from wsprovider.policy.read import read_policy
from wsprovider.policy.write import write_policy
from wsprovider.words import namespaces as ns
from wsprovider.words.dialects import DIALECTS, SP11, SP12
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.suites import SUITES

X509 = X509Token(Inclusion.NEVER, frozenset({KeyReference.THUMBPRINT}), X509TokenType.V3_TOKEN10)
BASE = Alternative(SymmetricBinding(X509, X509, SUITES["Basic256Sha256"], timestamp=True))


def again(policy, dialect=SP12):
    return read_policy(etree.tostring(write_policy(policy, dialect)), where="written.xml")


def of(**parts):
    return Policy("P", (replace(BASE, **parts),))


def with_token(token):
    return Policy(
        "P", (replace(BASE, binding=replace(BASE.binding, signature_token=token, encryption_token=token)),)
    )


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("suite", SUITES.values(), ids=lambda suite: suite.name)
def test_every_suite(suite, dialect):
    policy = Policy("P", (replace(BASE, binding=replace(BASE.binding, suite=suite)),))
    assert again(policy, dialect) == policy


def test_the_namespaces_are_the_dialects():
    for dialect in DIALECTS.values():
        root = write_policy(with_token(SecureConversationToken(Inclusion.ONCE, Policy("", (BASE,)))), dialect)
        namespaces = {etree.QName(element).namespace for element in root.iter()}
        assert namespaces == {dialect.policy, dialect.security_policy}
        for element in root.iter("{*}X509Token"):
            assert element.get(f"{{{dialect.security_policy}}}IncludeToken") == dialect.inclusion + "Never"


def test_the_shape_that_others_read():
    text = etree.tostring(write_policy(of(wss=Wss(frozenset(), wss11=True))), encoding="unicode")
    assert text.startswith(f'<wsp:Policy xmlns:wsp="{ns.WSP_200409}"')
    assert ' wsu:Id="P">' in text
    root = etree.fromstring(text)
    names = {"wsp": ns.WSP_200409, "sp": ns.SP_200702}
    path = "wsp:ExactlyOne/wsp:All/sp:SymmetricBinding/wsp:Policy/sp:ProtectionToken/wsp:Policy/sp:X509Token/wsp:Policy/*"
    assert [etree.QName(element).localname for element in root.xpath(path, namespaces=names)] == [
        "RequireThumbprintReference",
        "WssX509V3Token10",
    ]
    assert len(root.xpath("wsp:ExactlyOne/wsp:All/sp:Wss11/wsp:Policy", namespaces=names)) == 1


def test_a_gcm_suite_is_what_cxf_reads():
    policy = Policy("P", (replace(BASE, binding=replace(BASE.binding, suite=SUITES["Basic256GcmSha256"])),))
    (suite,) = write_policy(policy).iter(f"{{{ns.CXF_POLICY}}}CustomAlgorithmSuite")
    assert not suite.attrib
    assert suite.prefix == "cxf"


def test_the_same_policy_is_always_written_the_same():
    wss = [
        Wss(frozenset(order), signature_confirmation=True, wss10=True, wss11=True)
        for order in (list(KeyReference), list(reversed(KeyReference)))
    ]
    left, right = (etree.tostring(write_policy(of(wss=each, trust=frozenset(TrustOption)))) for each in wss)
    assert left == right


BEYOND_SP11 = {
    "IncludeToken": with_token(X509Token(Inclusion.ALWAYS_TO_INITIATOR)),
    "RequireImpliedDerivedKeys": with_token(X509Token(Inclusion.NEVER, derived_keys=DerivedKeys.IMPLIED)),
    "HashPassword": with_token(UsernameToken(password=Password.HASH)),
    "NoPassword": with_token(UsernameToken(password=Password.NONE)),
    "Created": with_token(UsernameToken(created=True)),
    "Nonce": with_token(UsernameToken(nonce=True)),
    "SC13SecurityContextToken": with_token(SecureConversationToken(Inclusion.ONCE, None, sc13_token=True)),
    "MustNotSendRenew": with_token(SecureConversationToken(Inclusion.ONCE, None, must_not_send_renew=True)),
    "MustNotSendAmend": with_token(SecureConversationToken(Inclusion.ONCE, None, must_not_send_amend=True)),
    "MustNotSendCancel": with_token(SecureConversationToken(Inclusion.ONCE, None, must_not_send_cancel=True)),
    "HttpBasicAuthentication": Policy(
        "P", (Alternative(TransportBinding(HttpsToken(ClientAuthentication.BASIC), SUITES["Basic256"])),)
    ),
    "RequiredParts": of(required_headers=(HeaderPart("urn:a", "To"),)),
    "EncryptedSupportingTokens": of(supporting=(SupportingTokens((X509,), encrypted=True),)),
    "RequireAppliesTo": of(trust=frozenset({TrustOption.APPLIES_TO})),
    "ScopePolicy15": of(trust=frozenset({TrustOption.SCOPE_POLICY15})),
    "InitiatorSignatureToken": Policy(
        "P", (Alternative(AsymmetricBinding(X509, None, X509, X509, SUITES["Basic256"])),)
    ),
}


@pytest.mark.parametrize("name", BEYOND_SP11)
def test_what_only_the_newer_dialect_can_say(name):
    policy = BEYOND_SP11[name]
    assert again(policy, SP12) == policy
    with pytest.raises(ConfigurationError, match=f"1.1 cannot say .*{name}.*dialect 200702"):
        write_policy(policy, SP11)


@pytest.mark.parametrize(
    ("policy", "what"),
    [
        (Policy("P", ()), "without alternatives"),
        (
            with_token(SecureConversationToken(Inclusion.ONCE, Policy("", ()))),
            "bootstrap policy without alternatives",
        ),
        (with_token(X509Token(Inclusion.NEVER, frozenset({KeyReference.ENCRYPTED_KEY}))), "EncryptedKey"),
        (with_token(X509Token(Inclusion.NEVER, type=X509TokenType.V1_TOKEN10)), "WssX509V1Token10"),
        (of(wss=Wss(frozenset({KeyReference.THUMBPRINT}), wss10=True)), "neither Wss10 nor Wss11"),
        (of(wss=Wss(frozenset({KeyReference.THUMBPRINT}))), "neither Wss10 nor Wss11"),
        (of(wss=Wss(signature_confirmation=True, wss10=True)), "neither Wss10 nor Wss11"),
        (
            Policy("P", (Alternative(AsymmetricBinding(None, None, X509, X509, SUITES["Basic256"])),)),
            "InitiatorToken",
        ),
    ],
)
def test_what_nothing_can_say(policy, what):
    with pytest.raises(ConfigurationError, match=what):
        write_policy(policy, SP12)


def test_an_older_token_type_in_the_older_dialect():
    policy = with_token(X509Token(Inclusion.NEVER, type=X509TokenType.V1_TOKEN10))
    assert again(policy, SP11) == policy


# any policy at all

_names = some.text("abcdefXYZ", min_size=1, max_size=5)
_headers = some.builds(HeaderPart, _names.map("urn:{}".format), some.none() | _names)
_unique_headers = some.lists(_headers, max_size=3, unique=True).map(tuple)
_parts = some.builds(Parts, some.booleans(), _unique_headers, some.booleans())
_derived = some.sampled_from(DerivedKeys)
_inclusions = some.sampled_from(Inclusion)
_x509 = some.builds(
    X509Token,
    _inclusions,
    some.frozensets(
        some.sampled_from(
            [
                KeyReference.KEY_IDENTIFIER,
                KeyReference.ISSUER_SERIAL,
                KeyReference.EMBEDDED_TOKEN,
                KeyReference.THUMBPRINT,
            ]
        )
    ),
    some.none() | some.sampled_from([kind for kind in X509TokenType if kind is not X509TokenType.V1_TOKEN10]),
    _derived,
)
_username = some.builds(
    UsernameToken,
    _inclusions,
    some.none() | some.sampled_from(UsernameTokenType),
    some.sampled_from(Password),
    some.booleans(),
    some.booleans(),
    _derived,
)
_kerberos = some.builds(
    KerberosToken, _inclusions, some.none() | some.sampled_from(KerberosTokenType), some.booleans(), _derived
)
_plain = _x509 | _username | _kerberos
_suites = some.sampled_from(list(SUITES.values()))
_layouts = some.sampled_from(Layout)
_flags = [some.booleans()] * 5
_transport = some.builds(
    TransportBinding,
    some.builds(HttpsToken, some.sampled_from(ClientAuthentication)),
    _suites,
    _layouts,
    some.booleans(),
)


def _bindings(tokens):
    optional = some.none() | tokens
    return (
        _transport
        | some.builds(SymmetricBinding, tokens, tokens, _suites, _layouts, *_flags)
        | some.builds(AsymmetricBinding, tokens, optional, optional, tokens, _suites, _layouts, *_flags)
    )


_ten = some.frozensets(
    some.sampled_from(
        [
            KeyReference.KEY_IDENTIFIER,
            KeyReference.ISSUER_SERIAL,
            KeyReference.EMBEDDED_TOKEN,
            KeyReference.EXTERNAL_URI,
        ]
    )
)
_wss = (
    some.just(Wss())
    | some.builds(Wss, _ten, some.just(False), some.just(True), some.just(False))
    | some.builds(
        Wss,
        some.frozensets(some.sampled_from(KeyReference)),
        some.booleans(),
        some.booleans(),
        some.just(True),
    )
)


def _policies(tokens, ids):
    supporting = some.builds(
        SupportingTokens,
        some.lists(tokens, min_size=1, max_size=2).map(tuple),
        some.booleans(),
        some.booleans(),
        some.booleans(),
        _parts,
        _parts,
    )
    alternatives = some.builds(
        Alternative,
        _bindings(tokens),
        _parts,
        _parts,
        some.lists(some.builds(HeaderPart, _names.map("urn:{}".format), _names), max_size=2, unique=True).map(
            tuple
        ),
        some.lists(supporting, max_size=2).map(tuple),
        _wss,
        some.none() | some.frozensets(some.sampled_from(TrustOption)),
        some.booleans(),
    )
    return some.builds(Policy, ids, some.lists(alternatives, min_size=1, max_size=2, unique=True).map(tuple))


_conversations = some.builds(
    SecureConversationToken,
    _inclusions,
    some.none() | _policies(_plain, some.just("") | _names),
    _derived,
    *([some.booleans()] * 6),
)


@settings(max_examples=300, deadline=None)
@given(policy=_policies(_plain | _conversations, _names))
def test_any_policy(policy):
    written = write_policy(policy, SP12)
    assert read_policy(etree.tostring(written), where="written.xml") == policy
    assert read_policy(written, where="written.xml") == policy


@settings(max_examples=200, deadline=None)
@given(policy=_policies(_x509, _names))
def test_any_policy_in_the_older_dialect_or_a_refusal(policy):
    try:
        written = write_policy(policy, SP11)
    except ConfigurationError as error:
        assert "1.1 cannot say" in str(error)  # noqa: PT017 - a refusal is one of two good ends
        return
    assert read_policy(written, where="written.xml") == policy
