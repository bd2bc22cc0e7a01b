"""Names in the spellings of the stacks around us, all meaning one certificate."""

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from tests.simulator import pki
from wsprovider.keyring import names

HOLDER = pki.name(
    "1.2.840.113549.1.9.1=ca@bank.example,CN=Issuing CA,OU=Sales\\, EMEA,O=Bank \\+ Co,ST=Bern,C=CH"
)

SPELLINGS = {
    "rfc4514": HOLDER.rfc4514_string(),
    "java rfc2253": "1.2.840.113549.1.9.1=#160f63614062616e6b2e6578616d706c65,CN=Issuing CA,OU=Sales\\, EMEA,O=Bank \\+ Co,ST=Bern,C=CH",
    "java getName": 'EMAILADDRESS=ca@bank.example, CN=Issuing CA, OU="Sales, EMEA", O="Bank + Co", ST=Bern, C=CH',
    "wcf": 'E=ca@bank.example, CN=Issuing CA, OU="Sales, EMEA", O="Bank + Co", S=Bern, C=CH',
    "reversed": "C=CH, ST=Bern, O=Bank \\+ Co, OU=Sales\\, EMEA, CN=Issuing CA, E=ca@bank.example",
    "semicolons": "E=ca@bank.example;CN=Issuing CA;OU=Sales\\2C EMEA;O=Bank \\2B Co;ST=Bern;C=CH",
    "oid prefix": 'OID.1.2.840.113549.1.9.1=ca@bank.example, CN=Issuing CA, OU="Sales\\, EMEA", O="Bank \\+ Co", ST=Bern, C=CH',
    "case and blanks": "e=CA@bank.example , cn=issuing   ca , ou=sales\\, emea , o=BANK \\+ CO , st=bern , c=ch",
}


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_every_spelling_means_the_certificate(text):
    assert names.key(HOLDER) in names.keys_of_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "CN=Issuing CA,C=CH",
        "E=ca@bank.example,CN=Issuing CA,OU=Sales,OU=EMEA,O=Bank \\+ Co,ST=Bern,C=CH",
        "E=ca@bank.example,CN=Issuing CA,OU=Sales\\, EMEA,O=Bank+O=Co,ST=Bern,C=CH",
        "CN=Issuing CA,E=ca@bank.example,OU=Sales\\, EMEA,O=Bank \\+ Co,ST=Bern,C=CH",
        "E=ca@bank.example,CN=Issuing\\00CA,OU=Sales\\, EMEA,O=Bank \\+ Co,ST=Bern,C=CH",
    ],
)
def test_another_name_does_not(text):
    assert names.key(HOLDER) not in names.keys_of_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CN",
        "nonsense=x",
        "CN=a,",
        "CN=a,,C=b",
        'CN="a',
        'CN="a"b',
        "CN=a\\",
        "CN=#16",
        "CN=#160f63",
        "CN=#zz",
        "=x",
        "1=x",
    ],
)
def test_what_is_no_name_is_said_to_be_none(text):
    with pytest.raises(ValueError):
        names.parse(text)


def test_the_string_type_does_not_count():
    def name(kind):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Bank", kind)])

    kinds = (x509.name._ASN1Type.UTF8String, x509.name._ASN1Type.PrintableString)
    assert names.key(name(kinds[0])) == names.key(name(kinds[1]))
    assert names.keys_of_text("CN=#1e0800420061006e006b")[0] == names.key(name(kinds[0]))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("CN= a b ", "a b"),
        ("CN=a\\ ", "a "),
        ("CN=\\ a", " a"),
        ("CN=\\#a", "#a"),
        ("CN=", ""),
        ('CN="a ""b"" "', 'a "b" '),
        ("CN=Z\\C3\\BCrich", "Zürich"),
        ("CN=Zürich", "Zürich"),
        ("CN=#0303010203", "#0303010203"),
    ],
)
def test_values(text, value):
    assert names.parse(text) == ((("2.5.4.3", value),),)


def test_several_attributes_in_one_part_have_no_order():
    assert names.keys_of_text("CN=a+UID=b,C=CH")[0] == names.keys_of_text("UID=b + CN=a, C=CH")[0]
