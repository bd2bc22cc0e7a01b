"""What is refused, each beside a twin that is not: a refusal must be for the named cause alone."""

import pytest

from wsprovider.policy.contents import NOT_DONE
from wsprovider.words import namespaces as ns

BODY = "<sp:SignedParts><sp:Body/></sp:SignedParts>"


def x509(nested="", attributes=""):
    return f"<sp:X509Token {attributes}><wsp:Policy>{nested}</wsp:Policy></sp:X509Token>"


def suite(*names):
    return f"<sp:AlgorithmSuite><wsp:Policy>{''.join(f'<{name}/>' for name in names)}</wsp:Policy></sp:AlgorithmSuite>"


def symmetric(content):
    return f"<sp:SymmetricBinding><wsp:Policy>{content}</wsp:Policy></sp:SymmetricBinding>"


def wrapped(name, content):
    return f"<sp:{name}><wsp:Policy>{content}</wsp:Policy></sp:{name}>"


def supporting(content):
    return (wrapped("SupportingTokens", content),)


def transport(content):
    return f"<sp:TransportBinding><wsp:Policy>{content}</wsp:Policy></sp:TransportBinding>"


def asymmetric(content):
    return f"<sp:AsymmetricBinding><wsp:Policy>{content}</wsp:Policy></sp:AsymmetricBinding>"


def conversation(content):
    return f"<sp:SecureConversationToken><wsp:Policy>{content}</wsp:Policy></sp:SecureConversationToken>"


SUITE = suite("sp:Basic256")
PROTECTION = wrapped("ProtectionToken", "<sp:X509Token/>")
HTTPS = wrapped("TransportToken", "<sp:HttpsToken/>")
INITIATOR = wrapped("InitiatorToken", "<sp:X509Token/>")
RECIPIENT = wrapped("RecipientToken", "<sp:X509Token/>")

# name: (refused, accepted, what the problem says, the last element of its place)
TWINS = {
    "unknown assertion": (
        {"assertions": ('<x:Wanted xmlns:x="urn:x"/>',)},
        {"assertions": ()},
        "not an assertion that is known",
        "{urn:x}Wanted",
    ),
    "unknown name in a known namespace": (
        {"assertions": ("<sp:SignedPart><sp:Body/></sp:SignedPart>",)},
        {"assertions": (BODY,)},
        "not known, or does not belong here",
        "sp:SignedPart",
    ),
    "a name that 1.3 did not add": (
        {"token": "<sp13:X509Token/>"},
        {"token": "<sp:X509Token/>"},
        "not an assertion that is known",
        "sp13:X509Token",
    ),
    "an assertion in the wrong place": (
        {"assertions": ("<sp:IncludeTimestamp/>",)},
        {"options": "<sp:IncludeTimestamp/>"},
        "does not belong here",
        "sp:IncludeTimestamp",
    ),
    "no binding": (
        {"binding": BODY},
        {"binding": None},
        "no binding assertion",
        "wsp:Policy",
    ),
    "two bindings": (
        {"assertions": (symmetric(PROTECTION + SUITE),)},
        {"assertions": ()},
        "a second",
        "sp:SymmetricBinding",
    ),
    "no suite": (
        {"binding": symmetric(PROTECTION)},
        {"binding": symmetric(PROTECTION + SUITE)},
        "has no sp:AlgorithmSuite",
        "sp:SymmetricBinding",
    ),
    "two suites": (
        {"suite": suite("sp:Basic256", "sp:Basic128")},
        {"suite": suite("sp:Basic128")},
        "exactly one suite, not 2",
        "sp:AlgorithmSuite",
    ),
    "an unknown suite": (
        {"suite": suite("sp:Basic512")},
        {"suite": suite("sp:Basic192")},
        "none of the algorithm suites",
        "sp:Basic512",
    ),
    "our own short name in the standard's namespace": (
        {"suite": suite("sp:Basic256GcmSha256")},
        {"suite": suite("cxf:Basic256GCM")},
        "none of the algorithm suites",
        "sp:Basic256GcmSha256",
    ),
    "a suite of the standard as a custom one": (
        {"suite": suite('cxf:CustomAlgorithmSuite Suite="Basic256"')},
        {"suite": suite('cxf:CustomAlgorithmSuite Suite="Basic192GcmSha256"')},
        "none of the algorithm suites",
        "cxf:CustomAlgorithmSuite",
    ),
    "CXF's GCM with RSA 1.5": (
        {"suite": suite("cxf:Basic256GCMRsa15")},
        {"suite": suite("cxf:Basic256GCM")},
        "not an assertion that is known",
        "cxf:Basic256GCMRsa15",
    ),
    "two layouts": (
        {"options": wrapped("Layout", "<sp:Lax/><sp:Strict/>")},
        {"options": wrapped("Layout", "<sp:Strict/>")},
        "exclude each other",
        "sp:Layout",
    ),
    "no layout": (
        {"options": wrapped("Layout", "")},
        {"options": ""},
        "names none of Strict",
        "sp:Layout",
    ),
    "both protection orders": (
        {"options": "<sp:SignBeforeEncrypting/><sp:EncryptBeforeSigning/>"},
        {"options": "<sp:SignBeforeEncrypting/>"},
        "exclude each other",
        "sp:SymmetricBinding",
    ),
    "no protection token": (
        {"binding": symmetric(SUITE)},
        {"binding": symmetric(PROTECTION + SUITE)},
        "must have an sp:ProtectionToken",
        "sp:SymmetricBinding",
    ),
    "a signature token alone": (
        {"binding": symmetric(wrapped("SignatureToken", "<sp:X509Token/>") + SUITE)},
        {
            "binding": symmetric(
                wrapped("SignatureToken", "<sp:X509Token/>")
                + wrapped("EncryptionToken", x509("<sp:RequireThumbprintReference/>"))
                + SUITE
            )
        },
        "or both a SignatureToken",
        "sp:SymmetricBinding",
    ),
    "a protection token beside a signature token": (
        {"binding": symmetric(PROTECTION + wrapped("SignatureToken", "<sp:X509Token/>") + SUITE)},
        {"binding": symmetric(PROTECTION + SUITE)},
        "exclude each other",
        "sp:SignatureToken",
    ),
    "two tokens in one place": (
        {"token": "<sp:X509Token/><sp:X509Token/>"},
        {"token": "<sp:X509Token/>"},
        "exactly one token, not 2",
        "sp:ProtectionToken",
    ),
    "no token": (
        {"token": ""},
        {"token": "<sp:KerberosToken/>"},
        "exactly one token, not 0",
        "sp:ProtectionToken",
    ),
    "HTTPS in a message binding": (
        {"token": "<sp:HttpsToken/>"},
        {"token": "<sp:UsernameToken/>"},
        "protects no message",
        "sp:ProtectionToken",
    ),
    "HTTPS as a supporting token": (
        {"assertions": supporting("<sp:HttpsToken/>")},
        {"assertions": supporting("<sp:UsernameToken/>")},
        "no supporting token",
        "sp:HttpsToken",
    ),
    "no transport token": (
        {"binding": transport(SUITE)},
        {"binding": transport(HTTPS + SUITE)},
        "has no sp:TransportToken",
        "sp:TransportBinding",
    ),
    "another token as the transport's": (
        {"binding": transport(wrapped("TransportToken", "<sp:X509Token/>") + SUITE)},
        {"binding": transport(HTTPS + SUITE)},
        "must be an sp:HttpsToken",
        "sp:TransportToken",
    ),
    "a message option in a transport binding": (
        {"binding": transport(HTTPS + SUITE + "<sp:EncryptSignature/>")},
        {"binding": transport(HTTPS + SUITE + "<sp:IncludeTimestamp/>")},
        "does not belong here",
        "sp:EncryptSignature",
    ),
    "no recipient token": (
        {"binding": asymmetric(INITIATOR + SUITE)},
        {"binding": asymmetric(INITIATOR + RECIPIENT + SUITE)},
        "has no sp:RecipientToken",
        "sp:AsymmetricBinding",
    ),
    "no initiator token": (
        {"binding": asymmetric(RECIPIENT + SUITE)},
        {"binding": asymmetric(RECIPIENT + wrapped("InitiatorSignatureToken", "<sp:X509Token/>") + SUITE)},
        "has no sp:InitiatorToken",
        "sp:AsymmetricBinding",
    ),
    "two types of a token": (
        {"token": x509("<sp:WssX509V3Token10/><sp:WssX509V3Token11/>")},
        {"token": x509("<sp:WssX509V3Token11/>")},
        "exclude each other",
        "sp:X509Token",
    ),
    "two kinds of derived keys": (
        {"token": x509("<sp:RequireDerivedKeys/><sp:RequireImpliedDerivedKeys/>")},
        {"token": x509("<sp:RequireDerivedKeys/>")},
        "exclude each other",
        "sp:X509Token",
    ),
    "an unknown inclusion": (
        {"token": '<sp:X509Token sp:IncludeToken="{sp}/IncludeToken/Sometimes"/>'},
        {"token": '<sp:X509Token sp:IncludeToken="{sp}/IncludeToken/Never"/>'},
        "no IncludeToken value",
        "sp:X509Token",
    ),
    "an unknown attribute": (
        {"token": '<sp:X509Token Included="yes"/>'},
        {"token": '<sp:X509Token wsu:Id="x" wsp:Ignorable="true"/>'},
        "the attribute Included is not known",
        "sp:X509Token",
    ),
    "an attribute with a namespace and without": (
        {
            "token": '<sp:X509Token IncludeToken="{sp}/IncludeToken/Once" sp:IncludeToken="{sp}/IncludeToken/Never"/>'
        },
        {"token": '<sp:X509Token IncludeToken="{sp}/IncludeToken/Once"/>'},
        "both with a namespace and without",
        "sp:X509Token",
    ),
    "an optional Body": (
        {"assertions": ('<sp:SignedParts><sp:Body wsp:Optional="true"/></sp:SignedParts>',)},
        {"assertions": ("<sp:SignedParts><sp:Body/></sp:SignedParts>",)},
        "not to their parameters",
        "sp:Body",
    ),
    "a header with a policy": (
        {
            "assertions": (
                '<sp:SignedParts><sp:Header Namespace="urn:a"><wsp:Policy/></sp:Header></sp:SignedParts>',
            )
        },
        {"assertions": ('<sp:SignedParts><sp:Header Namespace="urn:a"/></sp:SignedParts>',)},
        "has a nested policy",
        "sp:Header",
    ),
    "content of UsingAddressing": (
        {"assertions": ('<wsaw:UsingAddressing><x:Sometimes xmlns:x="urn:x"/></wsaw:UsingAddressing>',)},
        {
            "assertions": (
                '<wsaw:UsingAddressing w:required="true" xmlns:w="http://schemas.xmlsoap.org/wsdl/"/>',
            )
        },
        "not an assertion that is known",
        "{urn:x}Sometimes",
    ),
    "an attribute of a flag": (
        {"options": '<sp:IncludeTimestamp Within="5"/>'},
        {"options": '<sp:IncludeTimestamp wsp:Optional="false"/>'},
        "the attribute Within is not known",
        "sp:IncludeTimestamp",
    ),
    "content of a flag": (
        {"options": "<sp:IncludeTimestamp><wsp:Policy><sp:Strict/></wsp:Policy></sp:IncludeTimestamp>"},
        {"options": "<sp:IncludeTimestamp><wsp:Policy/></sp:IncludeTimestamp>"},
        "does not belong here",
        "sp:Strict",
    ),
    "text": (
        {"assertions": ("<sp:SignedParts>Body</sp:SignedParts>",)},
        {"assertions": ("<sp:SignedParts> <!-- Body --> </sp:SignedParts>",)},
        "text inside sp:SignedParts",
        "sp:SignedParts",
    ),
    "text among operators": (
        {"assertions": ("<wsp:All>SignedParts</wsp:All>",)},
        {"assertions": ("<wsp:All/>",)},
        "text inside wsp:All",
        "wsp:All",
    ),
    "an operator outside a nested policy": (
        {"options": "<sp:Layout><wsp:All><sp:Lax/></wsp:All></sp:Layout>"},
        {"options": "<sp:Layout><wsp:Policy><wsp:All><sp:Lax/></wsp:All></wsp:Policy></sp:Layout>"},
        "not an assertion that is known",
        "wsp:All",
    ),
    "two nested policies": (
        {"options": "<sp:Layout><wsp:Policy><sp:Lax/></wsp:Policy><wsp:Policy/></sp:Layout>"},
        {"options": "<sp:Layout><wsp:Policy><sp:Lax/></wsp:Policy></sp:Layout>"},
        "2 nested policies",
        "sp:Layout",
    ),
    "an issuer": (
        {"token": "<sp:X509Token><sp:IssuerName>urn:ca</sp:IssuerName></sp:X509Token>"},
        {"token": "<sp:X509Token/>"},
        "issuer",
        "sp:IssuerName",
    ),
    "claims": (
        {"token": f'<sp:X509Token><t:Claims xmlns:t="{ns.WST_200512}"/></sp:X509Token>'},
        {"token": "<sp:X509Token/>"},
        "claims are not supported",
        "Claims",
    ),
    "a header without a namespace": (
        {"assertions": ('<sp:SignedParts><sp:Header Name="To"/></sp:SignedParts>',)},
        {"assertions": ('<sp:SignedParts><sp:Header Name="To" Namespace="urn:a"/></sp:SignedParts>',)},
        "has no Namespace",
        "sp:Header",
    ),
    "a required header without a name": (
        {"assertions": ('<sp:RequiredParts><sp:Header Namespace="urn:a"/></sp:RequiredParts>',)},
        {"assertions": ('<sp:RequiredParts><sp:Header Name="To" Namespace="urn:a"/></sp:RequiredParts>',)},
        "has no Name",
        "sp:Header",
    ),
    "no required header": (
        {"assertions": ("<sp:RequiredParts/>",)},
        {"assertions": ("<sp:EncryptedParts/>",)},
        "names no header",
        "sp:RequiredParts",
    ),
    "a Body in RequiredParts": (
        {
            "assertions": (
                '<sp:RequiredParts><sp:Body/><sp:Header Name="a" Namespace="b"/></sp:RequiredParts>',
            )
        },
        {"assertions": ('<sp:SignedParts><sp:Body/><sp:Header Name="a" Namespace="b"/></sp:SignedParts>',)},
        "does not belong here",
        "sp:Body",
    ),
    "attachments": (
        {"assertions": ("<sp:SignedParts><sp:Body/><sp:Attachments/></sp:SignedParts>",)},
        {"assertions": (BODY,)},
        "attachments are not supported",
        "sp:Attachments",
    ),
    "no supporting token": (
        {"assertions": supporting("")},
        {"assertions": supporting("<sp:X509Token/>")},
        "holds no token",
        "sp:SupportingTokens",
    ),
    "a suite of a supporting token": (
        {"assertions": supporting("<sp:X509Token/>" + SUITE)},
        {"assertions": supporting("<sp:X509Token/>" + BODY)},
        "does not belong here",
        "sp:AlgorithmSuite",
    ),
    "a thumbprint in Wss10": (
        {"assertions": (wrapped("Wss10", "<sp:MustSupportRefThumbprint/>"),)},
        {"assertions": (wrapped("Wss11", "<sp:MustSupportRefThumbprint/>"),)},
        "does not belong here",
        "sp:MustSupportRefThumbprint",
    ),
    "an unknown reference": (
        {"assertions": (wrapped("Wss11", "<sp:MustSupportRefTelepathy/>"),)},
        {"assertions": (wrapped("Wss11", "<sp:MustSupportRefExternalURI/>"),)},
        "not known",
        "sp:MustSupportRefTelepathy",
    ),
    "an unknown option of WS-Trust": (
        {"assertions": (wrapped("Trust13", "<sp:RequireFaith/>"),)},
        {"assertions": (wrapped("Trust13", "<sp:RequireAppliesTo/>"),)},
        "not known",
        "sp:RequireFaith",
    ),
    "replies to elsewhere": (
        {
            "assertions": (
                "<wsam:Addressing><wsp:Policy><wsam:NonAnonymousResponses/></wsp:Policy></wsam:Addressing>",
            )
        },
        {
            "assertions": (
                "<wsam:Addressing><wsp:Policy><wsam:AnonymousResponses/></wsp:Policy></wsam:Addressing>",
            )
        },
        "not an assertion that is known",
        "wsam:NonAnonymousResponses",
    ),
    "a client certificate that may be": (
        {
            "binding": transport(
                wrapped("TransportToken", '<sp:HttpsToken RequireClientCertificate="maybe"/>') + SUITE
            )
        },
        {
            "binding": transport(
                wrapped("TransportToken", '<sp:HttpsToken RequireClientCertificate="0"/>') + SUITE
            )
        },
        "neither true nor false",
        "sp:HttpsToken",
    ),
    "two ways to prove a client": (
        {
            "binding": transport(
                wrapped(
                    "TransportToken",
                    '<sp:HttpsToken RequireClientCertificate="true"><wsp:Policy><sp:HttpBasicAuthentication/></wsp:Policy></sp:HttpsToken>',
                )
                + SUITE
            )
        },
        {
            "binding": transport(
                wrapped(
                    "TransportToken",
                    '<sp:HttpsToken RequireClientCertificate="true"><wsp:Policy><sp:RequireClientCertificate/></wsp:Policy></sp:HttpsToken>',
                )
                + SUITE
            )
        },
        "exclude each other",
        "sp:HttpsToken",
    ),
    "an issuer of conversations": (
        {"token": "<sp:SecureConversationToken><sp:Issuer/></sp:SecureConversationToken>"},
        {"token": "<sp:SecureConversationToken/>"},
        "external token service",
        "sp:Issuer",
    ),
    "a bootstrap policy of nothing": (
        {"token": conversation("<sp:BootstrapPolicy/>")},
        {
            "token": conversation(
                "<sp:BootstrapPolicy><wsp:Policy>"
                + symmetric(PROTECTION + SUITE)
                + "</wsp:Policy></sp:BootstrapPolicy>"
            )
        },
        "exactly one wsp:Policy",
        "sp:BootstrapPolicy",
    ),
    "a bootstrap policy without a binding": (
        {"token": conversation("<sp:BootstrapPolicy><wsp:Policy/></sp:BootstrapPolicy>")},
        {"token": conversation("")},
        "no binding assertion",
        "wsp:Policy",
    ),
    "a bootstrap policy that cannot be met": (
        {
            "token": conversation(
                "<sp:BootstrapPolicy><wsp:Policy><wsp:ExactlyOne/></wsp:Policy></sp:BootstrapPolicy>"
            )
        },
        {"token": conversation("")},
        "no alternative",
        "wsp:Policy",
    ),
    "no alternative": (
        {"assertions": ("<wsp:ExactlyOne/>",)},
        {"assertions": ("<wsp:ExactlyOne><wsp:All/></wsp:ExactlyOne>",)},
        "no alternative",
        "wsp:Policy",
    ),
    "an optional binding": (
        {
            "binding": f'<sp:SymmetricBinding wsp:Optional="true"><wsp:Policy>{PROTECTION + SUITE}</wsp:Policy></sp:SymmetricBinding>'
        },
        {"binding": symmetric(PROTECTION + SUITE)},
        "no binding assertion",
        "wsp:Policy",
    ),
    "an optional operator": (
        {"assertions": (f'<wsp:All wsp:Optional="true">{BODY}</wsp:All>',)},
        {"assertions": ('<sp:SignedParts wsp:Optional="true"><sp:Body/></sp:SignedParts>',)},
        "belongs to assertions",
        "wsp:All",
    ),
    "an Optional that is neither": (
        {"assertions": ('<sp:SignedParts wsp:Optional="perhaps"/>',)},
        {"assertions": ('<sp:SignedParts wsp:Optional="false"/>',)},
        "neither true nor false",
        "sp:SignedParts",
    ),
    "a reference to elsewhere": (
        {"assertions": ('<wsp:PolicyReference URI="http://127.0.0.1/policy.xml"/>',)},
        {"assertions": ('<wsp:PolicyReference URI="#P"/><wsp:All/><wsp:Policy wsu:Id="P"/>',)},
        "only references into the same document",
        "wsp:PolicyReference",
    ),
    "a reference to nothing": (
        {"assertions": ('<wsp:PolicyReference URI="#Q"/><wsp:Policy wsu:Id="P"/>',)},
        {"assertions": ('<wsp:PolicyReference URI="#P"/><wsp:Policy wsu:Id="P"/>',)},
        "not exactly one wsp:Policy",
        "wsp:PolicyReference",
    ),
    "a reference to two": (
        {"assertions": ('<wsp:PolicyReference URI="#P"/><wsp:Policy wsu:Id="P"/><wsp:Policy wsu:Id="P"/>',)},
        {"assertions": ('<wsp:PolicyReference URI="#P"/><wsp:Policy wsu:Id="P"/><wsp:Policy wsu:Id="Q"/>',)},
        "not exactly one wsp:Policy",
        "wsp:PolicyReference",
    ),
    "a reference with a digest": (
        {"assertions": ('<wsp:PolicyReference URI="#P" Digest="AA=="/><wsp:Policy wsu:Id="P"/>',)},
        {"assertions": ('<wsp:PolicyReference URI="#P"/><wsp:Policy wsu:Id="P"/>',)},
        "Digest",
        "wsp:PolicyReference",
    ),
    "a policy that refers to itself": (
        {"assertions": ('<wsp:Policy wsu:Id="P"><wsp:PolicyReference URI="#P"/></wsp:Policy>',)},
        {"assertions": ('<wsp:Policy wsu:Id="P"/><wsp:PolicyReference URI="#P"/>',)},
        "refers to itself",
        "wsp:PolicyReference",
    ),
}


@pytest.mark.parametrize("name", TWINS)
def test_refused_and_says_what_and_where(problems, name):
    bent, _, what, place = TWINS[name]
    found = problems(
        *bent.get("assertions", ()), **{key: value for key, value in bent.items() if key != "assertions"}
    )
    matching = [problem for problem in found if what in problem.what]
    assert matching, found
    assert all(problem.where.startswith("tested.xml: /wsp:Policy") for problem in matching)
    assert any(problem.where.rpartition(" (line ")[0].endswith(place) for problem in matching), found


@pytest.mark.parametrize("name", TWINS)
def test_its_twin_is_accepted(read, name):
    _, twin, _, _ = TWINS[name]
    assert read(
        *twin.get("assertions", ()), **{key: value for key, value in twin.items() if key != "assertions"}
    )


TOKENS = (
    "IssuedToken",
    "SamlToken",
    "RelToken",
    "SpnegoContextToken",
    "SecurityContextToken",
    "KeyValueToken",
)
XPATH_PARTS = ("SignedElements", "EncryptedElements", "ContentEncryptedElements", "RequiredElements")
SUITE_ADDITIONS = (
    "InclusiveC14N",
    "InclusiveC14N11",
    "SOAPNormalization10",
    "SoapNormalization10",
    "STRTransform10",
    "XPath10",
    "XPathFilter20",
    "AbsXPath",
)


@pytest.mark.parametrize("sp", [ns.SP_200507, ns.SP_200702])
@pytest.mark.parametrize("name", [*TOKENS, *XPATH_PARTS, *SUITE_ADDITIONS])
def test_what_the_standard_has_and_we_do_not(problems, name, sp):
    if name in TOKENS:
        found = problems(token=f"<sp:{name}/>", sp=sp)
    elif name in XPATH_PARTS:
        found = problems(f"<sp:{name}><sp:XPath>//a</sp:XPath></sp:{name}>", sp=sp)
    else:
        found = problems(suite=suite("sp:Basic256", f"sp:{name}"), sp=sp)
    assert [problem.what for problem in found if problem.what == f"sp:{name}: {NOT_DONE[name]}"]


def test_everything_wrong_is_said_at_once(problems):
    found = problems(
        "<sp:SignedElements/>",
        '<x:Wanted xmlns:x="urn:x"/>',
        token="<sp:SamlToken/>",
        suite=suite("sp:Basic512"),
        options=wrapped("Layout", "<sp:Chaos/>"),
    )
    text = "\n".join(str(problem) for problem in found)
    for part in ("sp:SignedElements", "{urn:x}Wanted", "sp:SamlToken", "sp:Basic512", "sp:Chaos"):
        assert part in text


def test_an_element_that_normal_form_multiplies_is_reported_once(problems):
    found = problems('<sp:SignedParts wsp:Optional="true"/>', '<x:Wanted xmlns:x="urn:x"/>')
    assert len(found) == 1


def test_the_line_is_the_assertions(problems):
    (found,) = problems("\n\n\n<sp:SamlToken/>")
    assert found.where == "tested.xml: /wsp:Policy/sp:SamlToken (line 4)"
