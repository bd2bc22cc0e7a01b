"""Name constraints of intermediates, each form with what lies inside and outside."""

import ipaddress

import pytest
from cryptography import x509

from tests.simulator import pki
from wsprovider.keyring.constraints import check_names
from wsprovider.keyring.path import Authorities, PathSearch
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

CA = pki.authority()
EC = pki.key("ec-p256", "constrained")


def directory(text):
    return x509.DirectoryName(pki.name(text))


def san(*names):
    return [(x509.SubjectAlternativeName(names), False)]


DNS, MAIL, URI, IP = (
    x509.DNSName,
    x509.RFC822Name,
    x509.UniformResourceIdentifier,
    lambda text: x509.IPAddress(ipaddress.ip_network(text) if "/" in text else ipaddress.ip_address(text)),
)
OTHER = x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x05\x00")
REGISTERED = x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))

WITHIN = [
    (directory("O=Bank"), "CN=a,O=Bank", []),
    (directory("O=Bank"), "CN=a,O=BANK", []),
    (directory("O=Bank,C=CH"), "CN=a,OU=x,O=Bank,C=CH", []),
    (DNS("bank.example"), "CN=a", san(DNS("bank.example"))),
    (DNS("bank.example"), "CN=a", san(DNS("a.Bank.example"))),
    (DNS("bank.example"), "CN=a", []),
    (MAIL("bank.example"), "CN=a", san(MAIL("x@bank.example"))),
    (MAIL(".bank.example"), "CN=a", san(MAIL("x@a.bank.example"))),
    (MAIL("x@bank.example"), "CN=a", san(MAIL("x@BANK.example"))),
    (MAIL("bank.example"), "1.2.840.113549.1.9.1=x@bank.example", []),
    (URI("bank.example"), "CN=a", san(URI("https://bank.example:8443/x"))),
    (URI(".bank.example"), "CN=a", san(URI("https://a.bank.example/x"))),
    (IP("10.0.0.0/8"), "CN=a", san(IP("10.1.2.3"))),
    (IP("2001:db8::/32"), "CN=a", san(IP("2001:db8::1"))),
]

OUTSIDE = [
    (directory("O=Bank"), "CN=a,O=Bank2", []),
    (directory("O=Bank"), "CN=a", []),
    (directory("O=Bank,C=CH"), "CN=a,O=Bank,C=DE", []),
    (directory("O=Bank"), "O=Bank,CN=a", []),
    (directory("O=Bank"), "CN=a,O=Bank", san(directory("O=Evil"))),
    (DNS("bank.example"), "CN=a", san(DNS("bank.example.org"))),
    (DNS("bank.example"), "CN=a", san(DNS("evilbank.example"))),
    (DNS("bank.example"), "CN=a", san(DNS("bank.example"), DNS("evil.example"))),
    (MAIL("bank.example"), "CN=a", san(MAIL("x@a.bank.example"))),
    (MAIL(".bank.example"), "CN=a", san(MAIL("x@bank.example"))),
    (MAIL("x@bank.example"), "CN=a", san(MAIL("X@bank.example"))),
    (MAIL("bank.example"), "1.2.840.113549.1.9.1=x@evil.example", []),
    (URI("bank.example"), "CN=a", san(URI("https://bank.example.evil/"))),
    (URI("bank.example"), "CN=a", san(URI("https://bank.example@evil/"))),
    (URI("bank.example"), "CN=a", san(URI("urn:bank.example"))),
    (URI("bank.example"), "CN=a", san(URI("https://10.0.0.1/"))),
    (IP("10.0.0.0/8"), "CN=a", san(IP("11.1.2.3"))),
    (IP("10.0.0.0/8"), "CN=a", san(IP("2001:db8::1"))),
]


def issued(constraints, subject, extensions):
    sub = CA.issue_authority("CN=Constrained", key=EC, extensions=[(constraints, True)])
    leaf = sub.issue(subject, key=EC, extensions=extensions)
    return list(
        PathSearch(Authorities((CA.certificate,)), leaf.path, Limits(), pki.NOW).chains(leaf.certificate)
    )


@pytest.mark.parametrize(("subtree", "subject", "extensions"), WITHIN)
def test_inside(subtree, subject, extensions):
    assert issued(x509.NameConstraints([subtree], None), subject, extensions)


@pytest.mark.parametrize(("subtree", "subject", "extensions"), OUTSIDE)
def test_outside(subtree, subject, extensions):
    assert not issued(x509.NameConstraints([subtree], None), subject, extensions)


@pytest.mark.parametrize(
    ("subtree", "subject", "extensions"), [one for one in WITHIN if one[2] or "DirectoryName" in repr(one[0])]
)
def test_excluded(subtree, subject, extensions):
    assert not issued(x509.NameConstraints(None, [subtree]), subject, extensions)
    assert issued(
        x509.NameConstraints(None, [directory("O=Elsewhere"), DNS("else.where")]), subject, extensions
    )


def test_one_of_several_permitted_is_enough():
    both = x509.NameConstraints([directory("O=Bank"), directory("O=Insurance")], None)
    assert issued(both, "CN=a,O=Insurance", [])
    assert not issued(
        x509.NameConstraints([directory("O=Bank")], [directory("OU=Evil,O=Bank")]), "CN=a,OU=Evil,O=Bank", []
    )


@pytest.mark.parametrize("form", [OTHER, REGISTERED])
def test_forms_that_cannot_be_judged_fail_closed(form):
    assert not issued(x509.NameConstraints(None, [form]), "CN=a", san(form))
    assert issued(x509.NameConstraints(None, [form]), "CN=a", [])
    assert issued(x509.NameConstraints(None, [DNS("x")]), "CN=a", san(form))


def test_the_constraint_holds_further_down_and_for_intermediates():
    root = pki.authority(
        "CN=Root", key=EC, extensions=[(x509.NameConstraints([directory("O=Bank")], None), True)]
    )

    def found(sub_name, leaf_name):
        leaf = root.issue_authority(sub_name, key=pki.key("ec-p256", "sub")).issue(
            leaf_name, key=pki.key("ec-p256", "l")
        )
        search = PathSearch(Authorities((root.certificate,)), leaf.path, Limits(), pki.NOW)
        return list(search.chains(leaf.certificate)), search.failure.reason

    assert found("CN=Sub,O=Bank", "CN=a,O=Bank")[0]
    assert found("CN=Sub,O=Bank", "CN=a,O=Evil") == ([], Reason.CERTIFICATE_PATH)
    assert found("CN=Sub,O=Evil", "CN=a,O=Bank") == ([], Reason.CERTIFICATE_PATH)


def test_a_mail_address_that_is_no_address():
    leaf = CA.issue("1.2.840.113549.1.9.1=nobody", key=EC)
    with pytest.raises(WSSecurityError) as caught:
        check_names(leaf.certificate, [x509.NameConstraints([MAIL("bank.example")], None)])
    assert caught.value.reason is Reason.CERTIFICATE_PATH
