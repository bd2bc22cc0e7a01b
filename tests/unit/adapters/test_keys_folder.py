"""Loading rings: every mistake is told, with file and entry, all at once."""

from datetime import UTC, datetime

import pytest

from tests.simulator import pki
from wsprovider.adapters.keys.folder import load_snapshot
from wsprovider.keyring.material import ThumbprintReference
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.limits import Limits

CA = pki.authority("CN=Folder CA")
SUB = CA.issue_authority("CN=Folder sub CA")
ONE = SUB.issue("CN=service")
TWO = SUB.issue("CN=service two")

KEY = '[[key]]\nname = "one"\npurposes = ["sign", "decrypt"]\n'
PEM = KEY + 'key = "one.key.pem"\ncertificate = "one.cert.pem"\n'


@pytest.fixture
def keys(tmp_path):
    folder = tmp_path / "keys"
    (folder / "service").mkdir(parents=True)
    put(folder, "one.key.pem", ONE.key_pem)
    put(folder, "one.cert.pem", ONE.cert_pem)
    put(folder, "ring.toml", PEM)
    return folder


def put(folder, name, content, mode=0o600):
    path = folder / "service" / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)


def load(folder, *, now=pki.NOW, limits=None, ring="service", **environ):
    return load_snapshot(folder, ring, [], limits=limits or Limits(), now=now, environ=environ)


def problems(folder, **more):
    with pytest.raises(ConfigurationError) as caught:
        load(folder, **more)
    assert str(folder.parent) not in str(caught.value), "paths are shown from the keys folder on"
    return [str(one) for one in caught.value.problems]


def test_pem(keys):
    loaded = load(keys)
    pair = loaded.snapshot.signing_key(pki.NOW)
    assert (pair.name, pair.certificate, pair.chain) == ("one", ONE.certificate, ())
    assert loaded.warnings == ()


def test_chain_after_the_certificate_or_in_a_file_of_its_own_without_the_root(keys):
    put(keys, "one.cert.pem", ONE.cert_pem + CA.cert_pem + SUB.cert_pem)
    assert load(keys).snapshot.signing_key(pki.NOW).chain == (SUB.certificate,)
    put(keys, "one.cert.pem", ONE.cert_pem)
    put(keys, "chain.pem", SUB.cert_pem)
    put(keys, "ring.toml", PEM + 'chain = "chain.pem"')
    assert load(keys).snapshot.signing_key(pki.NOW).chain == (SUB.certificate,)


@pytest.mark.parametrize("kind", ["ec-p256", "ed25519"])
def test_other_kinds_of_key_sign(keys, kind):
    holder = CA.issue("CN=service", key=pki.key(kind, "service"))
    put(keys, "ec.key.pem", holder.key_pem)
    put(keys, "ec.cert.pem", holder.cert_pem)
    entry = '[[key]]\nname="ec"\npurposes=["sign"]\nkey="ec.key.pem"\ncertificate="ec.cert.pem"\n'
    put(keys, "ring.toml", entry + PEM.replace('["sign", "decrypt"]', '["decrypt"]'))
    assert load(keys).snapshot.signing_key(pki.NOW).name == "ec"


def test_passphrase_of_a_pem_key(keys):
    put(keys, "one.key.pem", ONE.encrypted_key_pem("secret"))
    put(keys, "ring.toml", PEM + 'passphrase_env = "PASS"')
    load(keys, PASS="secret")
    assert "wrong passphrase" in problems(keys, PASS="other")[0]
    assert "PASS is not set" in problems(keys)[0]
    put(keys, "ring.toml", PEM)
    assert "the key is encrypted" in problems(keys)[0]
    put(keys, "ring.toml", PEM + 'passphrase_file = "pass"')
    assert "keys/service/pass does not exist" in problems(keys)[0]
    put(keys, "pass", "secret\n")
    load(keys)
    put(keys, "pass", "secret\n", 0o644)
    assert "chmod 600" in problems(keys)[0]
    put(keys, "ring.toml", PEM + 'passphrase_file = "pass"\npassphrase_env = "PASS"')
    assert "not both" in problems(keys)[0]


def test_a_passphrase_that_is_not_needed_is_told(keys):
    put(keys, "ring.toml", PEM + 'passphrase_env = "PASS"')
    assert "not encrypted" in problems(keys, PASS="x")[0]


def test_pkcs12(keys):
    put(keys, "one.p12", ONE.pkcs12("secret"))
    put(keys, "ring.toml", KEY + 'pkcs12 = "one.p12"\npassphrase_env = "PASS"')
    pair = load(keys, PASS="secret").snapshot.signing_key(pki.NOW)
    assert (pair.certificate, pair.chain) == (ONE.certificate, (SUB.certificate,))
    assert "wrong passphrase" in problems(keys, PASS="other")[0]
    put(keys, "one.p12", b"junk")
    assert "no PKCS#12" in problems(keys, PASS="secret")[0]
    put(keys, "one.p12", ONE.pkcs12("secret"), 0o640)
    assert "chmod 600" in problems(keys, PASS="secret")[0]
    put(keys, "ring.toml", PEM + 'pkcs12 = "one.p12"')
    assert "instead of" in problems(keys)[0]


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("", "no key with the purpose 'sign'"),
        ("= x", "not valid TOML"),
        ("key = 5", "array of tables"),
        (KEY, "needs key and certificate"),
        (KEY + 'key = "one.key.pem"', "needs key and certificate"),
        (PEM.replace("one.key", "none.key"), "keys/service/none.key.pem does not exist"),
        (PEM.replace("one.cert", "none.cert"), "keys/service/none.cert.pem does not exist"),
        (PEM.replace("one.cert", "one.key"), "no certificate"),
        (PEM.replace("one.key", "one.cert"), "no private key"),
        (PEM.replace('["sign", "decrypt"]', '["sing"]'), "'sing' is none of sign, decrypt"),
        (PEM.replace('["sign", "decrypt"]', "[]"), "purposes: is missing"),
        (PEM.replace('purposes = ["sign", "decrypt"]\n', ""), "key[one].purposes: is missing"),
        (PEM.replace('["sign", "decrypt"]', '["sign"]'), "no key with the purpose 'decrypt'"),
        (PEM.replace('["sign", "decrypt"]', '"sign"'), "list of texts"),
        (PEM.replace('name = "one"', ""), "key[1].name: is missing"),
        (PEM.replace('name = "one"', "name = 1"), "name: must be a text"),
        (PEM + 'passfrase_env = "X"', "key[one].passfrase_env: is not known"),
        ('[[keys]]\nname = "x"\n' + PEM, "keys: is not known"),
        (PEM + PEM, "two [[key]] entries are named 'one'"),
        (PEM + "active_from = 2027-01-01T00:00:00Z", "no key with the purpose 'sign' is active now"),
        (PEM + "retired_at = 2027-01-01T00:00:00Z", "is active from 2027-01-01T00:00:00+00:00 on"),
        (PEM + "retired_at = 2027-01-01T00:00:00", "needs a time zone"),
        (PEM + 'retired_at = "2027-01-01"', "must be a date without quotes"),
        (PEM + "gone_at = 2027-01-01", "need retired_at"),
        (PEM + '[[seal]]\nname = "s"', "seal[s].file: is missing"),
        (PEM + '[[seal]]\nname = "s"\nfile = "none"', "keys/service/none does not exist"),
        (PEM + '[[seal]]\nname = "s"\nfile = "one.cert.pem"', "64 hexadecimal digits"),
    ],
)
def test_mistakes_in_the_ring_file(keys, toml, words):
    put(keys, "ring.toml", toml)
    found = problems(keys)
    assert any(words in one for one in found), found
    assert all(one.startswith("keys/service/ring.toml") for one in found)


def test_missing_ring(keys):
    assert problems(keys, ring="other") == ["keys/other: the ring has no folder"]
    (keys / "service" / "ring.toml").unlink()
    assert problems(keys) == ["keys/service/ring.toml: keys/service/ring.toml does not exist"]
    for name in ("../x", "", ".", "a/b"):
        assert "is no name" in problems(keys, ring=name)[0]


def test_no_ring_at_all_is_possible(tmp_path):
    snapshot = load(tmp_path, ring=None).snapshot
    assert snapshot.trusts_nobody
    with pytest.raises(ConfigurationError):
        snapshot.signing_key(pki.NOW)


def test_key_and_certificate_that_do_not_belong_together(keys):
    put(keys, "one.cert.pem", TWO.cert_pem)
    assert "does not belong to the key" in problems(keys)[0]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_key_files_that_others_may_use(keys, mode):
    put(keys, "one.key.pem", ONE.key_pem, mode)
    assert "keys/service/one.key.pem may be used by others" in problems(keys)[0]
    put(keys, "one.key.pem", ONE.key_pem, 0o400)
    load(keys)


def test_a_key_that_cannot_be_read(keys):
    (keys / "service" / "one.key.pem").unlink()
    (keys / "service" / "one.key.pem").symlink_to("one.key.pem")  # a loop: not even root gets through
    assert "one.key.pem cannot be read" in problems(keys)[0]


def test_a_folder_where_a_file_belongs(keys):
    (keys / "service" / "one.key.pem").unlink()
    (keys / "service" / "one.key.pem").mkdir()
    assert "one.key.pem" in problems(keys)[0]


def test_dates_of_our_own_certificate(keys):
    assert "certificate: expired" in problems(keys, now=pki.days(366))[0]
    assert "is not valid before" in problems(keys, now=pki.days(-31))[0]
    (warning,) = load(keys, now=pki.days(340)).warnings
    assert "expires on" in str(warning)
    assert load(keys, now=pki.days(300)).warnings == ()


def test_weak_and_oversized_keys(keys):
    assert "RSA of 2048 bits" in problems(keys, limits=Limits(rsa_bits_minimum=3072))[0]
    assert "RSA of 2048 bits" in problems(keys, limits=Limits(rsa_bits_maximum=1024))[0]


def test_usage_must_fit_the_purposes(keys):
    for usage, purpose in (("digital_signature", "'decrypt'"), ("key_encipherment", "'sign'")):
        put(keys, "one.cert.pem", CA.issue(key=ONE.key, extensions=[pki.key_usage(usage)]).cert_pem)
        assert [purpose in one for one in problems(keys)] == [True]


def test_all_mistakes_come_at_once(keys):
    put(keys, "one.key.pem", ONE.key_pem, 0o644)
    put(
        keys,
        "ring.toml",
        PEM + "x = 1\n" + PEM.replace('"one"', '"two"').replace("one.cert", "none") + "[[seal]]",
    )
    found = "\n".join(problems(keys))
    for words in ("chmod 600", "x: is not known", "key[two]", "seal[1].name", "seal[1].file"):
        assert words in found


def test_rollover_ring(keys):
    put(keys, "two.key.pem", TWO.key_pem)
    put(keys, "two.cert.pem", TWO.cert_pem)
    second = PEM.replace("one", "two")
    put(
        keys,
        "ring.toml",
        PEM + "retired_at = 2026-07-01\n" + second + "active_from = 2026-07-01T02:00:00+02:00\n",
    )
    snapshot = load(keys).snapshot
    assert snapshot.signing_key(pki.NOW).name == "one"
    assert snapshot.signing_key(datetime(2026, 7, 1, tzinfo=UTC)).name == "two"
    reference = ThumbprintReference(TWO.certificate.thumbprint_sha1)
    assert [one.name for one in snapshot.decryption_keys(reference, pki.NOW)] == ["two"]
    # once it is gone its files may be deleted; as long as they are there its key stays ours
    late = pki.days(200)
    assert load(keys, now=late).snapshot.own(ONE.certificate)
    (keys / "service" / "one.key.pem").unlink()
    assert not load(keys, now=late).snapshot.own(ONE.certificate)


def test_seal_keys(keys):
    put(keys, "a.seal", "ab" * 32 + "\n")
    put(keys, "ring.toml", PEM + '[[seal]]\nname = "a"\nfile = "a.seal"')
    assert load(keys).seals.sealing(pki.NOW).secret == b"\xab" * 32
    put(keys, "a.seal", "ab" * 32, 0o644)
    assert "chmod 600" in problems(keys)[0]
    put(keys, "a.seal", "ab" * 31)
    assert "64 hexadecimal digits" in problems(keys)[0]


def test_the_version_tells_snapshots_apart(keys):
    first = load(keys).snapshot.version
    assert load(keys).snapshot.version == first
    put(keys, "ring.toml", PEM + "retired_at = 2027-01-01\n" + PEM.replace('"one"', '"b"'))
    assert load(keys).snapshot.version != first
