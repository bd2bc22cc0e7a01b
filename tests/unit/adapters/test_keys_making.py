"""New keys, certificates of their own and signing requests: our own checks and others' tools accept them."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.simulator import pki
from tests.simulator.key_tools import keytool, openssl
from wsprovider.adapters.keys import making, pem
from wsprovider.keyring import checks
from wsprovider.keyring.ring import Purpose
from wsprovider.words.limits import Limits

SIGN, DECRYPT = frozenset({Purpose.SIGN}), frozenset({Purpose.DECRYPT})
BOTH = SIGN | DECRYPT
A_YEAR = pki.days(365)
NAME = making.subject_of("CN=Echo,O=Bank,C=CH")
KINDS = ("rsa-2048", "rsa-3072", "rsa-4096", "ec-p256", "ec-p384", "ed25519")
SHORT = [kind for kind in KINDS if kind not in ("rsa-3072", "rsa-4096")]


def own(key, purposes=SIGN, begins=pki.NOW, ends=A_YEAR):
    return making.self_signed(key, NAME, purposes=purposes, begins=begins, ends=ends)


def usage(extensions):
    found = extensions.get_extension_for_class(x509.KeyUsage)
    assert found.critical
    flags = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment")
    flags += ("key_agreement", "key_cert_sign", "crl_sign")
    return {flag for flag in flags if getattr(found.value, flag)}


@pytest.mark.parametrize("kind", KINDS)
def test_keys_of_every_kind(kind):
    assert making.KINDS == KINDS
    key = making.new_key(kind)
    assert pem.usable(key) is key
    if kind != "ed25519":
        assert kind.endswith(str(key.key_size))
    assert key.public_key() != making.new_key(kind).public_key()


def test_no_other_kind():
    with pytest.raises(ValueError, match="'rsa-1024' is no kind of key: rsa-2048, rsa-3072"):
        making.new_key("rsa-1024")


@pytest.mark.parametrize("kind", SHORT)
def test_a_certificate_of_its_own_passes_every_check(kind):
    key = pki.key(kind)
    made = own(
        key, begins=pki.NOW + timedelta(microseconds=7), ends=pki.days(365) + timedelta(microseconds=7)
    )
    limits = Limits()
    checks.check_readable(made)
    checks.check_key(made, limits)
    checks.check_signer_usage(made)
    checks.check_extended_usage(made, frozenset())
    checks.check_critical(made)
    checks.check_signature_algorithm(made)
    checks.check_dates(made, pki.NOW)
    checks.check_dates(made, pki.days(365))
    made.parsed.verify_directly_issued_by(made.parsed)
    assert made.public_key == key.public_key()
    assert made.parsed.subject == made.parsed.issuer == NAME
    assert made.subject_key_identifier == x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest
    constraints = made.parsed.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert not constraints.value.ca
    assert made.serial != own(key).serial
    assert made.serial.bit_length() > 64


@pytest.mark.parametrize(
    ("purposes", "flags"),
    [
        (SIGN, {"digital_signature", "content_commitment"}),
        (DECRYPT, {"key_encipherment"}),
        (BOTH, {"digital_signature", "content_commitment", "key_encipherment"}),
    ],
)
def test_the_purposes_become_the_key_usage(purposes, flags):
    key = pki.key()
    made = own(key, purposes)
    request = x509.load_pem_x509_csr(making.signing_request(key, NAME, purposes=purposes))
    assert usage(made.parsed.extensions) == usage(request.extensions) == flags
    assert checks.can_encrypt(made) == (Purpose.DECRYPT in purposes)
    assert request.is_signature_valid
    assert request.subject == NAME


@pytest.mark.parametrize("kind", ["ec-p256", "ed25519"])
def test_only_rsa_decrypts(kind):
    own(pki.key("rsa-2048"), DECRYPT)
    own(pki.key(kind), SIGN)
    with pytest.raises(ValueError, match="only an RSA key can decrypt"):
        own(pki.key(kind), BOTH)
    with pytest.raises(ValueError, match="only an RSA key can decrypt"):
        making.signing_request(pki.key(kind), NAME, purposes=DECRYPT)


def test_purposes_and_dates_that_make_no_sense():
    own(pki.key(), SIGN, pki.NOW, pki.NOW + timedelta(seconds=1))
    with pytest.raises(ValueError, match="needs a purpose"):
        own(pki.key(), frozenset())
    for ends in (pki.NOW, pki.days(-1)):
        with pytest.raises(ValueError, match="before it begins"):
            own(pki.key(), SIGN, pki.NOW, ends)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("CN=Echo,O=Bank,C=CH", "CN=Echo,O=Bank,C=CH"),
        ("C=CH, O=Bank, CN=Echo", "CN=Echo,O=Bank,C=CH"),
        ("CN=Echo", "CN=Echo"),
        ("O=Bank, C=CH", "O=Bank,C=CH"),
        ("CN=a, OU=b, CN=c", "CN=a,OU=b,CN=c"),
        ("CN=Echo+OU=Pay,O=Bank", "CN=Echo+OU=Pay,O=Bank"),
        (r'CN="Müller, Sohn",O=A\+B', r"CN=Müller\, Sohn,O=A\+B"),
        ("CN=Echo,E=mail@example.com", "CN=Echo,1.2.840.113549.1.9.1=mail@example.com"),
        ("cn=x,DC=example,DC=com", "CN=x,DC=example,DC=com"),
        ("DC=com,DC=example,CN=x", "CN=x,DC=example,DC=com"),
    ],
)
def test_subjects_as_people_write_them(text, name):
    assert making.subject_of(text) == x509.Name.from_rfc4514_string(name)
    assert making.subject_of(text).rfc4514_string() == name


@pytest.mark.parametrize(
    "text",
    [
        *("", "Echo", "CN=", "CN=Echo,", "QQ=Echo", 'CN="Echo', r"CN=\ff", "CN=#zz", "CN=a+CN=a"),
        *("CN=Echo,C=Switzerland", "CN=" + "x" * 65, "CN=Echo,E=mül@example.com"),
    ],
)
def test_no_subject(text):
    with pytest.raises(ValueError, match="is no name such as 'CN=Echo,O=Bank,C=CH': "):
        making.subject_of(text)


@pytest.mark.parametrize("kind", SHORT)
def test_keys_in_pem(kind):
    key = pki.key(kind)
    for passphrase in (None, b"secret"):
        written = making.key_pem(key, passphrase)
        assert (b"BEGIN ENCRYPTED PRIVATE KEY" in written) == (passphrase is not None)
        assert pem.load_private_key(written, passphrase).public_key() == key.public_key()
    with pytest.raises(ValueError, match="passphrase is empty"):
        making.key_pem(key, b"")


def test_certificates_in_pem():
    ca = pki.authority()
    both = (ca.issue().certificate, ca.certificate)
    written = making.certificates_pem(both)
    assert pem.load_certificates(written) == both
    assert written.startswith(b"-----BEGIN CERTIFICATE-----\n")
    assert b"-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n" in written


def test_nothing_of_the_key_is_shown():
    key = pki.key()
    assert "private_key" not in repr(making.Material(key, own(key)))


@pytest.mark.live
@pytest.mark.parametrize("kind", SHORT)
def test_openssl_and_java_accept_them(tmp_path, kind):
    key = pki.key(kind)
    purposes = BOTH if kind == "rsa-2048" else SIGN
    request = making.signing_request(key, NAME, purposes=purposes)
    certificate = making.certificates_pem([own(key, purposes)])
    verified = openssl("req", "-verify", "-noout", "-text", given=request).decode()
    assert "verify OK" in verified
    shown = openssl("x509", "-noout", "-text", "-nameopt", "RFC2253", given=certificate).decode()
    for text in (verified, shown):
        assert "Digital Signature, Non Repudiation" in text
        assert ("Key Encipherment" in text) == (purposes == BOTH)
    assert "Subject: CN=Echo,O=Bank,C=CH" in shown
    (tmp_path / "own.pem").write_bytes(certificate)
    moment = str(int(pki.days(1).timestamp()))
    strict = ("-x509_strict", "-check_ss_sig", "-attime", moment)
    openssl("verify", *strict, "-CAfile", tmp_path / "own.pem", tmp_path / "own.pem")
    (tmp_path / "request.pem").write_bytes(request)
    printed = keytool("-printcertreq", "-file", tmp_path / "request.pem").decode()
    assert "CN=Echo, O=Bank, C=CH" in printed
    assert "CN=Echo, O=Bank, C=CH" in keytool("-printcert", "-file", tmp_path / "own.pem").decode()


@pytest.mark.live
def test_openssl_opens_the_key_and_says_how_it_is_encrypted():
    written = making.key_pem(pki.key(), b"secret")
    opened = openssl("pkey", "-passin", "pass:secret", given=written)
    assert load_pem_private_key(opened, None).public_key() == pki.key().public_key()
    structure = openssl("asn1parse", given=written)
    assert b"PBES2" in structure
    assert b"aes-256-cbc" in structure
