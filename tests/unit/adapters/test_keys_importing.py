"""Keys and certificates from elsewhere: every form, in any order, and what is said when they do not fit."""

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs7,
    pkcs12,
)

from tests.simulator import pki
from tests.simulator.key_tools import java_store, keytool, openssl
from wsprovider.adapters.keys import pem
from wsprovider.adapters.keys.importing import complete, read_material
from wsprovider.adapters.keys.reading import MaterialError

PASS = b"secret-pass"
ROOT = pki.authority("CN=Root,O=CA")
SUB = ROOT.issue_authority("CN=Sub,O=CA")
ISSUING = SUB.issue_authority("CN=Issuing,O=CA")
LEAF = ISSUING.issue("CN=Echo,O=Bank")
OTHER = ISSUING.issue("CN=Other,O=Bank")
CHAIN = (ISSUING.certificate, SUB.certificate)
CAS = ROOT.cert_pem + ISSUING.cert_pem + SUB.cert_pem
ELSEWHERE = pki.authority("CN=Elsewhere")


def written(holder, encoding=Encoding.PEM, form=PrivateFormat.PKCS8, passphrase=None):
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return holder.key.private_bytes(encoding, form, encryption)


def chain_file(*holders, encoding=Encoding.PEM):
    return pkcs7.serialize_certificates([one.parsed for one in holders], encoding)


def bundle(holder, *others, name=b"echo", passphrase=PASS):
    return pkcs12.serialize_key_and_certificates(
        name, holder.key, holder.parsed, others or None, BestAvailableEncryption(passphrase)
    )


def is_leaf(material, chain=CHAIN):
    assert material.private_key.private_numbers() == LEAF.key.private_numbers()
    assert material.certificate == LEAF.certificate
    assert material.chain == chain


def refusal(files, passphrase=None, **more):
    with pytest.raises(MaterialError) as caught:
        read_material(files, passphrase, **more)
    assert PASS.decode() not in str(caught.value)
    return str(caught.value)


DER = Encoding.DER
PKCS1 = PrivateFormat.TraditionalOpenSSL


@pytest.mark.parametrize(
    ("files", "passphrase"),
    [
        ([LEAF.key_pem + LEAF.cert_pem + CAS], None),
        ([CAS + LEAF.cert_pem + LEAF.key_pem], None),
        ([CAS, LEAF.key_pem, LEAF.cert_pem], None),
        ([LEAF.key_pem, chain_file(SUB, LEAF, ROOT, ISSUING)], None),
        ([LEAF.key_pem, chain_file(SUB, LEAF, ROOT, ISSUING, encoding=DER)], None),
        ([LEAF.key_pem, LEAF.parsed.public_bytes(DER), chain_file(SUB, ISSUING)], None),
        ([written(LEAF, passphrase=PASS), LEAF.cert_pem, CAS], PASS),
        ([written(LEAF, form=PKCS1), LEAF.cert_pem, CAS], None),
        ([written(LEAF, form=PKCS1, passphrase=PASS), LEAF.cert_pem, CAS], PASS),
        ([written(LEAF, DER), LEAF.cert_pem, CAS], None),
        ([written(LEAF, DER, PKCS1), LEAF.cert_pem, CAS], None),
        ([written(LEAF, DER, passphrase=PASS), LEAF.cert_pem, CAS], PASS),
        ([bundle(LEAF, ROOT.parsed, SUB.parsed, ISSUING.parsed)], PASS),
        ([bundle(LEAF), CAS], PASS),
        ([LEAF.key_pem, LEAF.key_pem + LEAF.cert_pem, LEAF.cert_pem, CAS, CAS], None),
        ([b"Bag Attributes\n  x: y\n" + LEAF.key_pem + b"subject=x\r\n" + LEAF.cert_pem, CAS], None),
        ([LEAF.key_pem, LEAF.cert_pem, CAS, OTHER.cert_pem, ELSEWHERE.cert_pem], None),
    ],
)
def test_every_form_in_any_order(files, passphrase):
    is_leaf(read_material(files, passphrase))
    is_leaf(read_material(files[::-1], passphrase))


@pytest.mark.parametrize("kind", ["ec-p256", "ec-p384", "ed25519"])
def test_other_kinds_of_keys(kind):
    holder = pki.self_signed("CN=own", key=pki.key(kind))
    found = read_material([holder.key_pem + holder.cert_pem], None)
    assert found.private_key.public_key() == holder.key.public_key()
    assert (found.certificate, found.chain) == (holder.certificate, ())


def test_the_chain_ends_where_certificates_end():
    is_leaf(read_material([LEAF.key_pem, LEAF.cert_pem], None), ())
    is_leaf(read_material([LEAF.key_pem, LEAF.cert_pem, SUB.cert_pem], None), ())
    is_leaf(read_material([LEAF.key_pem, LEAF.cert_pem, ISSUING.cert_pem], None), CHAIN[:1])


def test_only_who_has_signed_it_is_in_the_chain():
    namesake = ROOT.issue_authority("CN=Issuing,O=CA", key=pki.key("rsa-2048", "namesake"))
    mine = [LEAF.key_pem, LEAF.cert_pem]
    is_leaf(read_material([*mine, namesake.cert_pem, CAS], None))
    assert pem.ordered_chain(LEAF.certificate, [namesake.certificate, *CHAIN]) == CHAIN
    said = refusal([*mine, namesake.cert_pem, ROOT.cert_pem])
    assert "CN=Echo,O=Bank is not signed by the one of CN=Issuing,O=CA that is given" in said


def test_a_false_root_is_found_out():
    false = pki.authority("CN=Root,O=CA", key=pki.key("rsa-2048", "false root"))
    mine = [LEAF.key_pem, LEAF.cert_pem, ISSUING.cert_pem, SUB.cert_pem]
    is_leaf(read_material([*mine, ROOT.cert_pem], None))
    assert "CN=Sub,O=CA is not signed by the one of CN=Root,O=CA" in refusal([*mine, false.cert_pem])


def test_the_newest_certificate_that_a_ca_has_issued_is_taken():
    newer = ISSUING.issue("CN=Echo,O=Bank", start=pki.days(-1), end=pki.days(100))
    placeholder = pki.self_signed("CN=Echo,O=Bank", start=pki.NOW)
    for files in (
        [LEAF.key_pem, LEAF.cert_pem, newer.cert_pem, placeholder.cert_pem],
        [placeholder.cert_pem, newer.cert_pem, LEAF.cert_pem, LEAF.key_pem],
    ):
        assert read_material(files, None).certificate == newer.certificate
    assert read_material([LEAF.key_pem, placeholder.cert_pem], None).certificate == placeholder.certificate


DSA = dsa.generate_private_key(2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("files", "passphrase", "sentence"),
    [
        ([LEAF.cert_pem, CAS], None, "there is no private key in it"),
        ([], None, "there is no private key in it"),
        ([LEAF.key_pem], None, "there is no certificate in it"),
        ([LEAF.key_pem, OTHER.cert_pem], None, "belongs to the key (found: CN=Other,O=Bank)"),
        ([LEAF.key_pem + OTHER.key_pem, LEAF.cert_pem], None, "file 1 of 2: it holds several private keys"),
        ([LEAF.key_pem, OTHER.key_pem, LEAF.cert_pem], None, "several private keys"),
        ([DSA, LEAF.cert_pem], None, "file 1 of 2: the key is neither RSA, EC nor Ed25519"),
        ([written(LEAF, passphrase=PASS), LEAF.cert_pem], None, "the key is encrypted"),
        ([written(LEAF, passphrase=PASS), LEAF.cert_pem], b"wrong", "or a wrong passphrase"),
        ([written(LEAF, DER, passphrase=PASS), LEAF.cert_pem], b"wrong", "or a wrong passphrase"),
        ([LEAF.key_pem, LEAF.cert_pem], PASS, "the key is not encrypted, but a passphrase is given"),
        ([bundle(LEAF)], b"wrong", "or a wrong passphrase"),
        ([bundle(LEAF)], None, "or a wrong passphrase"),
        ([LEAF.key_pem, b"hello"], None, "file 2 of 2: neither PEM, nor DER, nor a PKCS#7"),
        ([b""], None, "neither PEM, nor DER"),
        ([b"\x30"], None, "neither PEM, nor DER"),
        ([b"\x30\x02\x05\x00"], None, "neither PEM, nor DER"),
        ([LEAF.key_pem, b"-----BEGIN X509 CRL-----\n"], None, "no certificate in it (X509 CRL)"),
        ([LEAF.key_pem, b"-----BEGIN CERTIFICATE-----\nAAAA\n"], None, "file 2 of 2: no certificate"),
        ([LEAF.key_pem, b"-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n"], None, "PKCS#7 file cannot"),
        ([LEAF.key_pem, chain_file(LEAF, encoding=DER)[:-9]], None, "PKCS#7 file cannot be read"),
        ([LEAF.key_pem, LEAF.certificate.der[:-9]], None, "file 2 of 2: no certificate"),
        ([bytes.fromhex("feedfeed00000002")], None, "a Java key store is read with its passphrase only"),
        ([bytes.fromhex("feedfeed00000002")], PASS, "a wrong passphrase for the Java key store"),
    ],
)
def test_refused_with_a_sentence(files, passphrase, sentence):
    assert sentence in refusal(files, passphrase)


CURVE = pki.self_signed("CN=curve", key=pki.key("ec-p256"))


@pytest.mark.parametrize(
    ("content", "beside", "passphrase"),
    [
        (CURVE.key_pem + CURVE.cert_pem, [], None),
        (bundle(CURVE), [], PASS),
        (CURVE.certificate.der, [CURVE.key_pem], None),
        (chain_file(CURVE, encoding=DER), [CURVE.key_pem], None),
        (written(CURVE, DER), [CURVE.cert_pem], None),
    ],
    ids=["PEM", "PKCS#12", "DER", "PKCS#7", "key in DER"],
)
def test_damaged_files_raise_nothing_else(content, beside, passphrase):
    assert read_material([content, *beside], passphrase).certificate == CURVE.certificate
    refused = 0
    for at in range(len(content)):
        flipped = content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :]
        for bent in (content[:at], flipped):
            try:
                read_material([bent, *beside], passphrase)
            except MaterialError:
                refused += 1
    assert refused >= len(content) // 2


def test_an_alias_chooses_in_a_store_only():
    files = [LEAF.key_pem + LEAF.cert_pem]
    is_leaf(read_material(files, None), ())
    assert "an alias ('echo') chooses a key of a key store" in refusal(files, alias="echo")


def test_the_alias_of_a_pkcs12_file():
    content = bundle(LEAF, ISSUING.parsed)
    for alias in (None, "echo", "ECHO"):
        is_leaf(read_material([content], PASS, alias=alias), CHAIN[:1])
    said = refusal([content], PASS, alias="other")
    assert "has the alias 'echo', not 'other'" in said
    assert "keytool -importkeystore" in said


def test_a_pkcs12_file_with_several_entries_wants_an_alias():
    partner = pkcs12.PKCS12Certificate(OTHER.parsed, b"other")
    ca = pkcs12.PKCS12Certificate(ISSUING.parsed, b"issuing")
    is_leaf(read_material([bundle(LEAF, ca)], PASS), CHAIN[:1])
    content = bundle(LEAF, ca, partner)
    assert "several entries: name one of these aliases: 'echo', 'other'" in refusal([content], PASS)
    is_leaf(read_material([content], PASS, alias="echo"), CHAIN[:1])


def test_a_pkcs12_file_without_a_key_gives_its_certificates():
    store = pkcs12.serialize_java_truststore(
        [pkcs12.PKCS12Certificate(one.parsed, None) for one in (LEAF, ISSUING)], BestAvailableEncryption(PASS)
    )
    is_leaf(read_material([written(LEAF, passphrase=PASS), store], PASS), CHAIN[:1])
    assert "no private key" in refusal([store], PASS)


@pytest.mark.parametrize("key", [LEAF.key, LEAF.key.public_key()], ids=["private", "public"])
def test_what_a_ca_returned(key):
    for files in (
        [LEAF.cert_pem + CAS],
        [CAS, LEAF.cert_pem],
        [LEAF.certificate.der, chain_file(ISSUING, ROOT, SUB)],
        [chain_file(ISSUING, LEAF, SUB, ROOT, encoding=DER)],
    ):
        assert complete(key, files, now=pki.NOW) == (LEAF.certificate, CHAIN)


def not_completed(files, now=pki.NOW):
    with pytest.raises(MaterialError) as caught:
        complete(LEAF.key, files, now=now)
    return str(caught.value)


def test_a_certificate_of_another_key():
    said = not_completed([CAS, OTHER.cert_pem])
    assert "(found: CN=Other,O=Bank)" in said
    assert "CA returned for this key's request" in said
    assert complete(LEAF.key, [OTHER.cert_pem, LEAF.cert_pem], now=pki.NOW) == (LEAF.certificate, ())


def test_dates_of_what_a_ca_returned():
    assert "CN=Echo,O=Bank has expired on 2027-" in not_completed([LEAF.cert_pem], now=pki.days(366))
    assert complete(LEAF.key, [LEAF.cert_pem], now=pki.days(365))[0] == LEAF.certificate
    future = ISSUING.issue("CN=Echo,O=Bank", start=pki.days(30))
    assert complete(LEAF.key, [future.cert_pem], now=pki.NOW)[0] == future.certificate
    ended = ISSUING.issue("CN=Echo,O=Bank", start=pki.days(-3), end=pki.days(-1))
    assert complete(LEAF.key, [ended.cert_pem, LEAF.cert_pem], now=pki.NOW)[0] == LEAF.certificate


def test_a_false_issuer_of_what_a_ca_returned():
    namesake = ROOT.issue_authority("CN=Issuing,O=CA", key=pki.key("rsa-2048", "namesake"))
    assert "is not signed by the one of CN=Issuing" in not_completed([LEAF.cert_pem, namesake.cert_pem])
    assert complete(LEAF.key, [LEAF.cert_pem, ISSUING.cert_pem], now=pki.NOW)[1] == CHAIN[:1]


def test_a_ca_returns_certificates_only():
    assert "(PKCS#12)" in not_completed([bundle(LEAF)])
    assert "(PRIVATE KEY)" in not_completed([LEAF.key_pem])
    assert "no certificate in it" in not_completed([])
    assert "(found: CN=Root,O=CA)" in not_completed([ROOT.cert_pem])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("foreign")
    (folder / "key.pem").write_bytes(LEAF.key_pem)
    (folder / "leaf.pem").write_bytes(LEAF.cert_pem)
    (folder / "chain.pem").write_bytes(CAS)
    return folder


@pytest.mark.live
@pytest.mark.parametrize(
    "command",
    [
        "pkcs8 -topk8 -v2 aes-256-cbc",
        "pkcs8 -topk8 -v2 des3",
        "pkcs8 -topk8 -scrypt",
        "pkcs8 -topk8 -v1 PBE-SHA1-3DES",
        "rsa -traditional -des3",
        "rsa -traditional -aes128",
    ],
)
def test_encrypted_keys_of_openssl(folder, command):
    tool, *options = command.split()
    secret = ("-passout", f"pass:{PASS.decode()}")
    made = folder / "encrypted.pem"
    openssl(tool, *options, *secret, "-in", folder / "key.pem", "-out", made)
    content = made.read_bytes()
    assert b"ENCRYPTED" in content
    is_leaf(read_material([content, LEAF.cert_pem + CAS], PASS))
    assert "wrong passphrase" in refusal([content, LEAF.cert_pem], b"wrong")
    assert "the key is encrypted" in refusal([content, LEAF.cert_pem])


@pytest.mark.live
def test_an_elliptic_key_of_openssl(folder):
    key, certificate = folder / "ec.pem", folder / "ec.cert.pem"
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-out", key)
    openssl("req", "-x509", "-new", "-key", key, "-subj", "/CN=curve", "-days", "9", "-out", certificate)
    assert key.read_bytes().startswith(b"-----BEGIN EC PARAMETERS-----")
    assert b"-----BEGIN EC PRIVATE KEY-----" in key.read_bytes()
    found = read_material([key.read_bytes(), certificate.read_bytes()], None)
    assert found.certificate.subject == "CN=curve"


@pytest.mark.live
@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_chains_of_openssl(folder, form):
    made = folder / "chain.p7b"
    both = ("-certfile", folder / "chain.pem", "-certfile", folder / "leaf.pem")
    openssl("crl2pkcs7", "-nocrl", *both, "-outform", form, "-out", made)
    is_leaf(read_material([made.read_bytes(), LEAF.key_pem], None))
    assert complete(LEAF.key, [made.read_bytes()], now=pki.NOW) == (LEAF.certificate, CHAIN)


@pytest.mark.live
@pytest.mark.parametrize(
    "options",
    ["", "-legacy", "-legacy -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1"],
    ids=["AES", "RC2", "3DES"],
)
def test_bundles_of_openssl(folder, options):
    made = folder / "made.p12"
    files = ("-inkey", folder / "key.pem", "-in", folder / "leaf.pem", "-certfile", folder / "chain.pem")
    secret = ("-passout", f"pass:{PASS.decode()}")
    openssl("pkcs12", "-export", *options.split(), *files, "-name", "echo", *secret, "-out", made)
    is_leaf(read_material([made.read_bytes()], PASS, alias="echo"))
    assert "wrong passphrase" in refusal([made.read_bytes()], b"wrong")


@pytest.mark.live
@pytest.mark.parametrize("kind", ["JKS", "JCEKS"])
def test_stores_of_java(folder, kind):
    content = java_store(folder / f"s.{kind}", kind, PASS.decode(), {"one": "key-pass", "two": "key-pass"})
    more = {"key_passphrase": b"key-pass"}
    for alias in ("one", "two", "TWO"):
        found = read_material([content], PASS, alias=alias, **more)
        assert found.certificate.subject == f"CN={alias.lower()},O=Bank"
        assert found.certificate.public_key == found.private_key.public_key()
    assert "several keys: name one of these aliases: 'one', 'two'" in refusal([content], PASS, **more)
    assert "no key 'three': name one of these aliases: 'one', 'two'" in refusal(
        [content], PASS, alias="three", **more
    )
    assert "another passphrase than its store" in refusal([content], PASS, alias="one")
    assert "wrong passphrase for the Java key store" in refusal([content], b"wrong", alias="one")


@pytest.mark.live
@pytest.mark.parametrize("kind", ["JKS", "JCEKS", "PKCS12"])
def test_a_whole_chain_through_java(folder, kind):
    source, made = folder / "source.p12", folder / f"whole.{kind}"
    source.write_bytes(bundle(LEAF, ISSUING.parsed, SUB.parsed, ROOT.parsed))
    secret = PASS.decode()
    keytool(
        *("-importkeystore", "-noprompt", "-srckeystore", source, "-srcstorepass", secret),
        *("-destkeystore", made, "-deststoretype", kind, "-deststorepass", secret),
    )
    is_leaf(read_material([made.read_bytes()], PASS))
    keytool(
        *("-importcert", "-noprompt", "-alias", "elsewhere", "-file", folder / "chain.pem"),
        *("-keystore", made, "-storetype", kind, "-storepass", secret),
    )
    is_leaf(read_material([made.read_bytes()], PASS))


@pytest.mark.live
def test_a_pkcs12_store_of_java_with_two_keys_and_the_advice_helps(folder):
    secret = PASS.decode()
    path, alone = folder / "two.p12", folder / "alone.p12"
    content = java_store(path, "PKCS12", secret, {"one": secret, "two": secret}, keys="RSA")
    assert "name one of these aliases: 'one', 'two'" in refusal([content], PASS)
    assert read_material([content], PASS, alias="one").certificate.subject == "CN=one,O=Bank"
    assert "keytool -importkeystore" in refusal([content], PASS, alias="two")
    keytool(
        *("-importkeystore", "-srckeystore", path, "-srcstorepass", secret, "-srcalias", "two"),
        *("-destkeystore", alone, "-deststoretype", "PKCS12", "-deststorepass", secret),
    )
    assert read_material([alone.read_bytes()], PASS).certificate.subject == "CN=two,O=Bank"
