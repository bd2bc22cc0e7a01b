"""Java key stores: those that Java writes, those that nobody should have written."""

import hashlib
import struct

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.simulator import pki
from tests.simulator.key_tools import java_store, keytool
from wsprovider.adapters.keys import jks
from wsprovider.adapters.keys.reading import MaterialError
from wsprovider.keyring.material import Certificate

STORE, KEY = "store-pass", "key-pass"
SUN = bytes.fromhex("060a2b060104012a02110101 0500")
DES = bytes.fromhex("06092b060104012a021301")
CERTIFICATE = pki.self_signed("CN=one", key=pki.key("ec-p256"))
PLAIN = CERTIFICATE.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def der(tag, content):
    size = len(content)
    return bytes([tag]) + (bytes([size]) if size < 0x80 else b"\x82" + struct.pack(">H", size)) + content


def info(algorithm, octets):
    return der(0x30, der(0x30, algorithm) + der(0x04, octets))


def masked(plain=PLAIN, password=KEY, algorithm=SUN):
    """Sun's key protector."""
    secret, block, stream = password.encode("utf-16-be"), b"s" * 20, b""
    salt = block
    while len(stream) < len(plain):
        block = hashlib.sha1(secret + block).digest()
        stream += block
    body = bytes(a ^ b for a, b in zip(plain, stream, strict=False))
    return info(algorithm, salt + body + hashlib.sha1(secret + plain).digest())


def tripled(password=KEY, rounds=20, salt=b"saltSALT", stated=None):
    """JCEKS' PBEWithMD5AndTripleDES."""
    derived = b""
    for half in (salt[:4], salt[4:]):
        digest = half
        for _ in range(rounds):
            digest = hashlib.md5(digest + password.encode()).digest()
        derived += digest
    pad = 8 - len(PLAIN) % 8
    encryptor = Cipher(TripleDES(derived[:24]), modes.CBC(derived[24:32])).encryptor()
    number = rounds if stated is None else stated
    parameters = der(0x30, der(0x04, salt) + der(0x02, number.to_bytes(4)))
    return info(DES + parameters, encryptor.update(PLAIN + bytes([pad]) * pad))


def text(value):
    return struct.pack(">H", len(value.encode())) + value.encode()


def block(value):
    return struct.pack(">I", len(value)) + value


def certificate(kind="X.509", version=2):
    return (text(kind) if version == 2 else b"") + block(CERTIFICATE.certificate.der)


def key_entry(hidden, alias="one", version=2):
    count = struct.pack(">I", 1)
    return (
        struct.pack(">I", 1) + text(alias) + bytes(8) + block(hidden) + count + certificate(version=version)
    )


def trusted_entry(alias="ca", **bend):
    return struct.pack(">I", 2) + text(alias) + bytes(8) + certificate(**bend)


def sealed(body, password=STORE):
    return body + hashlib.sha1(password.encode("utf-16-be") + b"Mighty Aphrodite" + body).digest()


def body(*entries, magic="feedfeed", version=2, count=None):
    number = len(entries) if count is None else count
    return bytes.fromhex(magic) + struct.pack(">II", version, number) + b"".join(entries)


def read(content, password=STORE):
    return jks.read_entries(content, password.encode())


def keys(content, password=STORE, key_password=KEY):
    return [jks.private_key(entry, key_password.encode()) for entry in read(content, password)]


def refusal(content, password=STORE, key_password=KEY):
    with pytest.raises(MaterialError) as caught:
        keys(content, password, key_password)
    assert password not in str(caught.value)
    assert key_password not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("hidden", [masked(), tripled()], ids=["Sun", "JCEKS"])
@pytest.mark.parametrize("magic", ["feedfeed", "cececece"])
@pytest.mark.parametrize("version", [1, 2])
def test_keys_and_certificates_are_read(hidden, magic, version):
    content = sealed(
        body(key_entry(hidden, version=version), trusted_entry(version=version), magic=magic, version=version)
    )
    assert jks.is_store(content)
    one, ca = read(content)
    assert (one.alias, ca.alias) == ("one", "ca")
    assert one.chain == ca.chain == (CERTIFICATE.certificate.der,)
    assert jks.private_key(one, KEY.encode()).private_numbers() == CERTIFICATE.key.private_numbers()
    assert "hidden" not in repr(one)
    assert ca.hidden is None


def test_passwords_beyond_ascii():
    (one,) = read(sealed(body(key_entry(masked(password="clé-🔑"))), password="größe"), password="größe")
    assert jks.private_key(one, "clé-🔑".encode()).public_key() == CERTIFICATE.key.public_key()
    assert "wrong passphrase for the key" in refusal(sealed(body(key_entry(masked()))), key_password="clé-🔑")
    assert "keytool" in refusal(sealed(body(key_entry(tripled()))), key_password="clé-🔑")
    with pytest.raises(MaterialError, match="UTF-8"):
        jks.read_entries(sealed(body()), b"\xff")


def test_wrong_passphrases():
    content = sealed(body(key_entry(masked()), key_entry(tripled(), alias="two")))
    assert len(read(content)) == 2
    assert "wrong passphrase for the Java key store" in refusal(content, password="other-pass")
    assert "another passphrase than its store" in refusal(content, key_password="other-pass")
    assert "wrong passphrase for the key 'two'" in refusal(
        sealed(body(key_entry(tripled(), alias="two"))), key_password="other-pass"
    )


def test_a_certificate_has_no_private_key():
    assert "without a private key" in refusal(sealed(body(trusted_entry())))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (body(key_entry(masked()), magic="feedfeee"), "no Java key store"),
        (body(key_entry(masked()), version=3), "no Java key store of version 1 or 2"),
        (body(key_entry(masked()), count=2), "ends within an entry"),
        (body(key_entry(masked()), count=0xFFFFFFFF), "ends within an entry"),
        (body(key_entry(masked()), trusted_entry(), count=1), "goes on after its last entry"),
        (body(struct.pack(">I", 3) + text("secret")), "secret key: convert it with keytool -importkeystore"),
        (body(struct.pack(">I", 4) + text("what")), "unknown kind 4"),
        (body(trusted_entry(kind="PGP")), "'PGP', not X.509"),
        (body(struct.pack(">I", 1) + text("one") + bytes(8) + b"\xff\xff\xff\xff"), "ends within an entry"),
        (body(key_entry(bytes(65537))), "too long"),
        (body(key_entry(b"")), "cannot be read"),
        (body(key_entry(masked() + b"\x00")), "cannot be read"),
        (body(key_entry(b"\x30\xff" + masked())), "cannot be read"),
        (body(key_entry(masked(algorithm=bytes.fromhex("06032a0304 0500")))), "unknown algorithm: convert it"),
        (body(key_entry(masked(plain=b"no key"))), "no private key"),
        (body(key_entry(tripled(stated=0))), "cannot be undone here: convert it with keytool"),
        (body(key_entry(tripled(stated=1_000_001))), "cannot be undone here: convert it with keytool"),
        (body(key_entry(tripled(salt=b"saltsalt"))), "cannot be undone here: convert it with keytool"),
        (body(key_entry(tripled(salt=b"saltSALTsalt"))), "cannot be undone here: convert it with keytool"),
    ],
)  # fmt: skip
def test_refused_with_a_sentence(content, sentence):
    assert sentence in refusal(sealed(content))


def attempt(content):
    """The worst that a file may do."""
    try:
        keys(content)
    except MaterialError:
        return False
    return True


WHOLE = body(key_entry(masked()), key_entry(tripled(), alias="two"))


def test_whatever_is_cut_off_is_refused():
    assert attempt(sealed(WHOLE))
    for end in range(len(WHOLE)):
        assert not attempt(sealed(WHOLE)[:end])
        assert not attempt(sealed(WHOLE[:end]))


def test_whatever_bit_is_flipped_nothing_else_is_raised():
    survived = 0
    for at in range(len(WHOLE)):
        for bit in range(8):
            bent = bytearray(WHOLE)
            bent[at] ^= 1 << bit
            survived += attempt(sealed(bytes(bent)))
            if bit == at % 8:
                assert not attempt(bytes(bent) + sealed(WHOLE)[-20:])
    # aliases, dates and certificates are not looked at here
    assert 0 < survived < 8 * len(WHOLE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("java")


@pytest.mark.live
@pytest.mark.parametrize("kind", ["JKS", "JCEKS"])
def test_stores_of_java(folder, kind):
    path = folder / f"store.{kind}"
    content = java_store(path, kind, STORE, {"one": KEY, "two": STORE})
    given = folder / f"{kind}.pem"
    given.write_bytes(CERTIFICATE.cert_pem)
    trusted = ("-importcert", "-noprompt", "-alias", "partner", "-file", given)
    keytool(*trusted, "-keystore", path, "-storetype", kind, "-storepass", STORE)
    content = path.read_bytes()
    found = {entry.alias: entry for entry in read(content)}
    assert found.keys() == {"one", "two", "partner"}
    assert found["partner"].chain == (CERTIFICATE.certificate.der,)
    for alias, password in (("one", KEY), ("two", STORE)):
        key = jks.private_key(found[alias], password.encode())
        assert key.public_key() == Certificate.from_der(found[alias].chain[0]).public_key
    with pytest.raises(MaterialError, match="wrong passphrase for the key 'one'"):
        jks.private_key(found["one"], STORE.encode())


@pytest.mark.live
def test_a_secret_key_of_java_is_refused_and_the_advice_helps(folder):
    path, converted = folder / "secret.jceks", folder / "converted.jks"
    java_store(path, "JCEKS", STORE, {"one": STORE})
    options = ("-keystore", path, "-storetype", "JCEKS", "-storepass", STORE, "-keypass", STORE)
    keytool("-genseckey", "-alias", "aes", "-keyalg", "AES", "-keysize", "128", *options)
    assert "-srcalias ALIAS" in refusal(path.read_bytes())
    keytool(
        *("-importkeystore", "-srckeystore", path, "-srcstorepass", STORE, "-srcalias", "one"),
        *("-destkeystore", converted, "-deststoretype", "JKS", "-deststorepass", STORE),
    )
    assert [entry.alias for entry in read(converted.read_bytes())] == ["one"]
