"""What is understood, in every form that it is published in."""

import pytest
from lxml import etree

from wsprovider.policy.model import (
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
    SupportingTokens,
    TrustOption,
    UsernameToken,
    UsernameTokenType,
    Wss,
    X509Token,
    X509TokenType,
)
from wsprovider.policy.read import read_policy
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.suites import SUITES, allow_sha1

SP_NAMESPACES = (ns.SP_200507, ns.SP_200702)
NEVER = "{sp}/IncludeToken/Never"


def test_the_example_is_what_it_says(read):
    policy = read()
    assert policy.id == "Tested"
    (found,) = policy.alternatives
    assert found.binding.signature_token == X509Token(Inclusion.NEVER, type=X509TokenType.V3_TOKEN10)
    assert found.binding.encryption_token == found.binding.signature_token
    assert found.binding.suite == SUITES["Basic256Sha256"]
    assert found.binding.timestamp
    assert found.binding.layout is Layout.LAX
    assert found.signed_parts.empty
    assert found.encrypted_parts.empty
    assert found.wss == Wss()
    assert found.trust is None
    assert not found.addressing


@pytest.mark.parametrize("sp", SP_NAMESPACES)
@pytest.mark.parametrize("wsp", [ns.WSP_200409, ns.WSP_15])
def test_the_namespaces_are_no_part_of_the_value(read, sp, wsp):
    assert read(sp=sp, wsp=wsp) == read()


@pytest.mark.parametrize("attribute", ["sp:IncludeToken", "IncludeToken", "sp13:IncludeToken"])
@pytest.mark.parametrize("uri", [f"{namespace}/IncludeToken/" for namespace in SP_NAMESPACES])
@pytest.mark.parametrize("inclusion", list(Inclusion))
def test_include_token_of_either_dialect_qualified_or_not(alternative, attribute, uri, inclusion):
    token = f'<sp:X509Token {attribute}="{uri}{inclusion.value}"/>'
    assert alternative(token=token).binding.signature_token == X509Token(inclusion)


def test_a_token_without_include_token_is_always_included(alternative):
    assert alternative(token="<sp:X509Token/>").binding.signature_token == X509Token(Inclusion.ALWAYS)


@pytest.mark.parametrize("wrapper", ["wsp:Policy", "sp:Policy"])
def test_nested_policies_in_either_wrapper(alternative, wrapper):
    found = alternative(
        f"<sp:Wss11><{wrapper}><sp:MustSupportRefThumbprint/><sp:RequireSignatureConfirmation/></{wrapper}></sp:Wss11>"
        f"<sp:Wss10><{wrapper}><sp:MustSupportRefKeyIdentifier/></{wrapper}></sp:Wss10>"
    )
    assert found.wss == Wss(
        frozenset({KeyReference.THUMBPRINT, KeyReference.KEY_IDENTIFIER}),
        signature_confirmation=True,
        wss10=True,
        wss11=True,
    )


def test_an_x509_token_with_everything(alternative):
    token = (
        f'<sp:X509Token sp:IncludeToken="{NEVER}"><wsp:Policy><sp:RequireDerivedKeys/>'
        "<sp:RequireKeyIdentifierReference/><sp:RequireIssuerSerialReference/>"
        "<sp:RequireEmbeddedTokenReference/><sp:RequireThumbprintReference/><sp:WssX509PkiPathV1Token11/>"
        "</wsp:Policy></sp:X509Token>"
    )
    assert alternative(token=token).binding.signature_token == X509Token(
        Inclusion.NEVER,
        frozenset(
            {
                KeyReference.KEY_IDENTIFIER,
                KeyReference.ISSUER_SERIAL,
                KeyReference.EMBEDDED_TOKEN,
                KeyReference.THUMBPRINT,
            }
        ),
        X509TokenType.PKI_PATH_TOKEN11,
        DerivedKeys.REQUIRED,
    )


@pytest.mark.parametrize(
    ("nested", "token"),
    [
        ("", UsernameToken()),
        ("<wsp:Policy/>", UsernameToken()),
        ("<wsp:Policy><sp:WssUsernameToken10/></wsp:Policy>", UsernameToken(type=UsernameTokenType.TOKEN10)),
        (
            "<wsp:Policy><sp:WssUsernameToken11/><sp:HashPassword/><sp13:Created/><sp13:Nonce/></wsp:Policy>",
            UsernameToken(type=UsernameTokenType.TOKEN11, password=Password.HASH, created=True, nonce=True),
        ),
        ("<wsp:Policy><sp:NoPassword/></wsp:Policy>", UsernameToken(password=Password.NONE)),
        (
            "<wsp:Policy><sp:RequireImpliedDerivedKeys/></wsp:Policy>",
            UsernameToken(derived_keys=DerivedKeys.IMPLIED),
        ),
    ],
)
def test_username_tokens(alternative, nested, token):
    found = alternative(
        "<sp:SignedSupportingTokens><wsp:Policy>"
        f'<sp:UsernameToken sp:IncludeToken="{{sp}}/IncludeToken/AlwaysToRecipient">{nested}</sp:UsernameToken>'
        "</wsp:Policy></sp:SignedSupportingTokens>"
    )
    assert found.supporting == (SupportingTokens((token,), signed=True),)


@pytest.mark.parametrize(
    ("name", "marks"),
    [
        ("SupportingTokens", (False, False, False)),
        ("SignedSupportingTokens", (True, False, False)),
        ("EndorsingSupportingTokens", (False, True, False)),
        ("SignedEndorsingSupportingTokens", (True, True, False)),
        ("EncryptedSupportingTokens", (False, False, True)),
        ("SignedEncryptedSupportingTokens", (True, False, True)),
        ("EndorsingEncryptedSupportingTokens", (False, True, True)),
        ("SignedEndorsingEncryptedSupportingTokens", (True, True, True)),
    ],
)
def test_the_kinds_of_supporting_tokens(alternative, name, marks):
    (found,) = alternative(
        f"<sp:{name}><wsp:Policy><sp:X509Token/><sp:UsernameToken/>"
        '<sp:SignedParts><sp:Header Namespace="urn:a"/></sp:SignedParts>'
        "<sp:EncryptedParts><sp:Body/></sp:EncryptedParts></wsp:Policy></sp:" + name + ">"
    ).supporting
    assert (found.signed, found.endorsing, found.encrypted) == marks
    assert found.tokens == (X509Token(Inclusion.ALWAYS), UsernameToken(Inclusion.ALWAYS))
    assert found.signed_parts == Parts(headers=(HeaderPart("urn:a"),))
    assert found.encrypted_parts == Parts(body=True)


@pytest.mark.parametrize(
    ("sp", "token", "client"),
    [
        (ns.SP_200507, '<sp:HttpsToken RequireClientCertificate="false"/>', ClientAuthentication.NONE),
        (ns.SP_200507, '<sp:HttpsToken RequireClientCertificate="true"/>', ClientAuthentication.CERTIFICATE),
        (ns.SP_200507, '<sp:HttpsToken sp:RequireClientCertificate="1"/>', ClientAuthentication.CERTIFICATE),
        (ns.SP_200702, "<sp:HttpsToken/>", ClientAuthentication.NONE),
        (ns.SP_200702, "<sp:HttpsToken><wsp:Policy/></sp:HttpsToken>", ClientAuthentication.NONE),
        *(
            (
                ns.SP_200702,
                f"<sp:HttpsToken><wsp:Policy><sp:{client.value}/></wsp:Policy></sp:HttpsToken>",
                client,
            )
            for client in ClientAuthentication
            if client is not ClientAuthentication.NONE
        ),
    ],
)
def test_https_tokens(alternative, sp, token, client):
    binding = (
        f"<sp:TransportBinding><wsp:Policy><sp:TransportToken><wsp:Policy>{token}</wsp:Policy></sp:TransportToken>"
        "<sp:AlgorithmSuite><wsp:Policy><sp:Basic256/></wsp:Policy></sp:AlgorithmSuite>"
        "<sp:Layout><wsp:Policy><sp:Strict/></wsp:Policy></sp:Layout></wsp:Policy></sp:TransportBinding>"
    )
    found = alternative(binding=binding, sp=sp).binding
    assert found.token == HttpsToken(client)
    assert found.layout is Layout.STRICT
    assert not found.timestamp


@pytest.mark.parametrize("kind", list(KerberosTokenType))
def test_kerberos_tokens(alternative, kind):
    token = (
        '<sp:KerberosToken sp:IncludeToken="{sp}/IncludeToken/Once"><wsp:Policy>'
        f"<sp:RequireKeyIdentifierReference/><sp:{kind.value}/></wsp:Policy></sp:KerberosToken>"
    )
    assert alternative(token=token).binding.signature_token == KerberosToken(
        Inclusion.ONCE, kind, key_identifier_reference=True
    )


def test_a_conversation_with_its_bootstrap_policy(alternative, read):
    bootstrap = read().alternatives[0]
    inner = (
        "<sp:SymmetricBinding><wsp:Policy><sp:ProtectionToken><wsp:Policy>"
        f'<sp:X509Token sp:IncludeToken="{NEVER}"><wsp:Policy><sp:WssX509V3Token10/></wsp:Policy></sp:X509Token>'
        "</wsp:Policy></sp:ProtectionToken><sp:AlgorithmSuite><wsp:Policy><sp:Basic256Sha256/></wsp:Policy>"
        "</sp:AlgorithmSuite><sp:IncludeTimestamp/></wsp:Policy></sp:SymmetricBinding>"
    )
    token = alternative(
        token="<sp:SecureConversationToken><wsp:Policy><sp:RequireDerivedKeys/><sp:SC13SecurityContextToken/>"
        "<sp:RequireExternalUriReference/><sp:MustNotSendAmend/><sp:MustNotSendRenew/>"
        f'<sp:BootstrapPolicy><wsp:Policy wsu:Id="Boot">{inner}</wsp:Policy></sp:BootstrapPolicy>'
        "</wsp:Policy></sp:SecureConversationToken>"
    ).binding.signature_token
    assert token.derived_keys is DerivedKeys.REQUIRED
    assert token.sc13_token
    assert token.external_uri_reference
    assert token.must_not_send_amend
    assert token.must_not_send_renew
    assert not token.must_not_send_cancel
    assert token.bootstrap.id == "Boot"
    assert token.bootstrap.alternatives == (bootstrap,)


def test_bootstrap_alternatives_stay_with_the_bootstrap_policy(read):
    token = "<sp:SecureConversationToken><wsp:Policy><sp:BootstrapPolicy>{policy}</sp:BootstrapPolicy></wsp:Policy></sp:SecureConversationToken>"
    inner = (
        "<wsp:Policy><sp:SymmetricBinding><wsp:Policy><sp:ProtectionToken><wsp:Policy><sp:X509Token/></wsp:Policy>"
        "</sp:ProtectionToken><sp:AlgorithmSuite><wsp:Policy><wsp:ExactlyOne><sp:Basic256/><sp:Basic128/>"
        "</wsp:ExactlyOne></wsp:Policy></sp:AlgorithmSuite></wsp:Policy></sp:SymmetricBinding></wsp:Policy>"
    )
    (found,) = read(token=token.replace("{policy}", inner)).alternatives
    suites = [each.binding.suite.name for each in found.binding.signature_token.bootstrap.alternatives]
    assert suites == ["Basic256", "Basic128"]


def test_asymmetric_tokens_together_and_apart(alternative):
    def wrapped(name, nested):
        return f"<sp:{name}><wsp:Policy>{nested}</wsp:Policy></sp:{name}>"

    once = '<sp:X509Token sp:IncludeToken="{sp}/IncludeToken/Once"/>'
    never = f'<sp:X509Token sp:IncludeToken="{NEVER}"/>'
    rest = (
        "<sp:AlgorithmSuite><wsp:Policy><sp:Basic256/></wsp:Policy></sp:AlgorithmSuite>"
        "<sp:EncryptBeforeSigning/><sp:EncryptSignature/><sp:ProtectTokens/><sp:OnlySignEntireHeadersAndBody/>"
    )
    together = alternative(
        binding="<sp:AsymmetricBinding><wsp:Policy>"
        + wrapped("InitiatorToken", once)
        + wrapped("RecipientToken", never)
        + rest
        + "</wsp:Policy></sp:AsymmetricBinding>"
    ).binding
    assert together.initiator_signature == together.initiator_encryption == X509Token(Inclusion.ONCE)
    assert together.recipient_signature == together.recipient_encryption == X509Token(Inclusion.NEVER)
    assert together.encrypt_before_signing
    assert together.encrypt_signature
    assert together.protect_tokens
    assert together.only_entire

    apart = alternative(
        binding="<sp:AsymmetricBinding><wsp:Policy>"
        + wrapped("InitiatorSignatureToken", once)
        + wrapped("RecipientEncryptionToken", never)
        + rest
        + "</wsp:Policy></sp:AsymmetricBinding>"
    ).binding
    assert (apart.initiator_signature, apart.initiator_encryption) == (X509Token(Inclusion.ONCE), None)
    assert (apart.recipient_signature, apart.recipient_encryption) == (None, X509Token(Inclusion.NEVER))


def test_parts_add_up(alternative):
    found = alternative(
        '<sp:SignedParts><sp:Body/><sp:Header Name="To" Namespace="urn:a"/></sp:SignedParts>',
        '<sp:SignedParts><sp:Header Name="To" Namespace="urn:a"/><sp:Header Namespace="urn:b"/></sp:SignedParts>',
        "<sp:EncryptedParts/>",
        '<sp:RequiredParts><sp:Header Name="To" Namespace="urn:a"/></sp:RequiredParts>',
    )
    to = HeaderPart("urn:a", "To")
    assert found.signed_parts == Parts(body=True, headers=(to, HeaderPart("urn:b")))
    assert found.encrypted_parts == Parts(all_parts=True)
    assert found.required_headers == (to,)


@pytest.mark.parametrize("name", ["Trust10", "Trust13"])
def test_trust_options(alternative, name):
    found = alternative(
        f"<sp:{name}><wsp:Policy><sp:RequireClientEntropy/><sp13:ScopePolicy15/></wsp:Policy></sp:{name}>"
    )
    assert found.trust == {TrustOption.CLIENT_ENTROPY, TrustOption.SCOPE_POLICY15}


@pytest.mark.parametrize("layout", list(Layout))
def test_layouts(alternative, layout):
    options = f"<sp:Layout><wsp:Policy><sp:{layout.value}/></wsp:Policy></sp:Layout>"
    assert alternative(options=options).binding.layout is layout


@pytest.mark.parametrize(
    "assertion",
    [
        "<wsam:Addressing><wsp:Policy/></wsam:Addressing>",
        "<wsam:Addressing><wsp:Policy><wsam:AnonymousResponses/></wsp:Policy></wsam:Addressing>",
        "<wsaw:UsingAddressing/>",
    ],
)
def test_addressing_is_noted(alternative, assertion):
    assert alternative(assertion).addressing


def test_configuration_of_other_products_is_read_over(read):
    config = (
        "<rampart:RampartConfig><rampart:user>alice</rampart:user><wsp:Policy><sp:Nonsense/></wsp:Policy></rampart:RampartConfig>"
        "<sec:CarbonSecConfig><sec:Kerberos/></sec:CarbonSecConfig>"
    )
    assert read(config) == read()


@pytest.mark.parametrize("name", [name for name, suite in SUITES.items() if not suite.custom])
def test_suites_of_the_standard(alternative, name):
    suite = f"<sp:AlgorithmSuite><wsp:Policy><sp:{name}/></wsp:Policy></sp:AlgorithmSuite>"
    assert alternative(suite=suite).binding.suite is SUITES[name]


@pytest.mark.parametrize(
    ("assertion", "name"),
    [
        ("cxf:Basic128GCM", "Basic128GcmSha256"),
        ("cxf:Basic192GCM", "Basic192GcmSha256"),
        ("cxf:Basic256GCM", "Basic256GcmSha256"),
        ("cxf:CustomAlgorithmSuite", "Basic256GcmSha256"),
        ('cxf:CustomAlgorithmSuite Suite="Basic128GcmSha256"', "Basic128GcmSha256"),
    ],
)
def test_suites_of_cxf(alternative, assertion, name):
    suite = f"<sp:AlgorithmSuite><wsp:Policy><{assertion}/></wsp:Policy></sp:AlgorithmSuite>"
    assert alternative(suite=suite).binding.suite is SUITES[name]


def test_suites_can_be_given(document):
    wider = {name: allow_sha1(suite) for name, suite in SUITES.items()}
    policy = read_policy(document(), where="tested.xml", suites=wider)
    assert policy.alternatives[0].binding.suite == allow_sha1(SUITES["Basic256Sha256"])


def test_an_element_of_a_larger_document_finds_what_it_refers_to(document, read):
    inner = document().decode()
    larger = etree.fromstring(
        f'<all xmlns:wsp="{ns.WSP_200409}"><wsp:Policy><wsp:PolicyReference URI="#Tested"/></wsp:Policy>{inner}</all>'
    )
    found = read_policy(larger[0], where="tested.xml")
    assert found.id == ""
    assert found.alternatives == read().alternatives


def test_comments_and_instructions_are_nothing(document, read):
    bent = document().replace(
        b"<sp:IncludeTimestamp/>", b"<!-- young --><?really young?><sp:IncludeTimestamp/>"
    )
    assert read_policy(bent, where="tested.xml") == read()
    assert read_policy(etree.fromstring(bent), where="tested.xml") == read()


def test_alternatives_that_say_the_same_are_one(read):
    assert read("<rampart:RampartConfig wsp:Optional='true'/>") == read()


def test_a_root_that_is_no_policy_is_refused():
    with pytest.raises(ConfigurationError, match="expected a wsp:Policy, not wsdl:definitions"):
        read_policy(f'<definitions xmlns="{ns.WSDL11}"/>'.encode(), where="tested.xml")
