"""Development keys: they load, others' tools read them, and nothing is ever overwritten."""

import shutil
import stat
import subprocess
import threading
from pathlib import Path

import pytest
from cryptography import x509

from tests.simulator import pki
from wsprovider.adapters.kerberos.keytab import parse_keytab
from wsprovider.adapters.keys.folder import load_snapshot
from wsprovider.config.development import create_development_keys, uses_development_keys
from wsprovider.keyring.material import Certificate
from wsprovider.words.errors import ConfigurationError, WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason


def users(path: Path) -> None:
    path.write_text("# users")
    path.chmod(0o600)


def create(folder, **more):
    return create_development_keys(folder, now=pki.NOW, write_users=users, **more)


def load(folder, ring="service", trust=("clients",)):
    return load_snapshot(folder, ring, trust, limits=Limits(), now=pki.NOW, environ={})


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("development") / "deeper" / "keys"
    assert create(folder).created
    return folder


def certificate(path):
    return Certificate.from_x509(x509.load_pem_x509_certificate(path.read_bytes()))


def content(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_they_load_and_are_known_for_what_they_are(made):
    loaded = load(made)
    assert loaded.warnings == ()
    assert len(loaded.seals.sealing(pki.NOW).secret) == 32
    assert uses_development_keys(made, loaded)
    own = loaded.snapshot.signing_key(pki.NOW).certificate
    assert own == certificate(made / "development" / "service.cert.pem")
    for name in ("client-1", "client-2"):
        client = certificate(made / "development" / f"{name}.cert.pem")
        assert loaded.snapshot.trust(client, (), pki.NOW).partner == name
    with pytest.raises(WSSecurityError) as caught:
        loaded.snapshot.trust(own, (), pki.NOW)
    assert caught.value.reason is Reason.OWN_CERTIFICATE


def test_the_same_keys_elsewhere_are_recognised_and_real_ones_are_not(made, tmp_path):
    moved = tmp_path / "production"
    shutil.copytree(made, moved)
    shutil.rmtree(moved / "development")
    assert uses_development_keys(moved, load(moved, trust=()))
    assert uses_development_keys(moved, load(moved, ring=None))
    real = pki.authority("CN=Real").issue("CN=service")
    for name, file in (("development.key.pem", real.key_pem), ("development.cert.pem", real.cert_pem)):
        (moved / "service" / name).write_bytes(file)
    assert not uses_development_keys(moved, load(moved, trust=()))


def test_the_keytab_holds_one_key_that_nobody_knows(made, tmp_path):
    keytab = made / "kerberos" / "echo.keytab"
    (key,) = parse_keytab(keytab.read_bytes())
    assert (str(key.principal), key.kvno, len(key.key)) == ("HTTP/localhost@DEVELOPMENT.LOCAL", 1, 32)
    assert stat.S_IMODE(keytab.stat().st_mode) == 0o600
    create(tmp_path / "other")
    (other,) = parse_keytab((tmp_path / "other" / "kerberos" / "echo.keytab").read_bytes())
    assert other.key != key.key
    readme = (made / "development" / "README.md").read_text()
    assert f"ktadd -k keys/kerberos/echo.keytab {key.principal}" in readme


def test_the_second_run_touches_nothing(made):
    before = content(made)
    assert not create(made).created
    assert content(made) == before


@pytest.mark.parametrize("name", ["users.toml", ".gitignore", "service/ring.toml", "trust/clients/x.pem"])
def test_whatever_is_there_stays_alone(tmp_path, name):
    file = tmp_path / "keys" / name
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    assert not create(tmp_path / "keys").created
    assert content(tmp_path / "keys") == {file: b"mine"}


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "keys").mkdir()
    assert create(tmp_path / "keys").created
    load(tmp_path / "keys")


def test_an_empty_mount_point_is_filled(tmp_path, monkeypatch):
    folder = tmp_path / "keys"
    folder.mkdir()
    genuine = Path.rename

    def rename(self, target):
        if Path(target) == folder:
            raise OSError(16, "Device or resource busy")
        return genuine(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    assert create(folder).created
    assert load(folder).warnings == ()
    assert [one.name for one in tmp_path.iterdir()] == ["keys"]
    assert (folder / "service").stat().st_mode & 0o777 == 0o700


def test_workers_that_start_together_make_one_set(tmp_path):
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(create(tmp_path / "keys").created)) for _ in range(4)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(results) == [False, False, False, True]
    assert [one.name for one in tmp_path.iterdir()] == ["keys"]
    load(tmp_path / "keys")


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigurationError):
        create(tmp_path / "file" / "keys")


def test_a_failure_on_the_way_leaves_nothing(tmp_path):
    def broken(path):
        raise RuntimeError("users")

    with pytest.raises(RuntimeError):
        create_development_keys(tmp_path / "keys", now=pki.NOW, write_users=broken)
    assert list(tmp_path.iterdir()) == []


def test_nobody_else_may_read_them(made):
    for path in (made, *made.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_the_seal_comes_from_the_entropy_given(tmp_path):
    create(tmp_path / "keys", entropy=lambda size: b"\x01" * size)
    assert load(tmp_path / "keys").seals.sealing(pki.NOW).secret == b"\x01" * 32


def test_certificates_say_what_they_are_for(made):
    for path in ("service/development.cert.pem", "tls/server.cert.pem"):
        parsed = certificate(made / path).parsed
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["localhost"]
        assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
        usage = parsed.extensions.get_extension_for_class(x509.KeyUsage).value
        assert usage.digital_signature
        assert usage.key_encipherment
        parsed.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        parsed.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    assert (
        certificate(made / "tls/server.cert.pem").spki
        != certificate(made / "service/development.cert.pem").spki
    )


def test_every_file_is_told_in_the_readme(made):
    text = (made / "development" / "README.md").read_text()
    for name in (
        "ca.pem",
        "ca.key.pem",
        "service.cert.pem",
        "trust.p12",
        "client-1.p12",
        "users.toml",
        "tls",
    ):
        assert name in text


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.mark.live
@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
@pytest.mark.parametrize("name", ["client-1", "client-2"])
def test_openssl_reads_the_key_stores(made, name):
    folder = made / "development"
    out = run(
        "openssl", "pkcs12", "-in", str(folder / f"{name}.p12"), "-passin", "pass:development", "-nodes"
    )
    assert "BEGIN PRIVATE KEY" in out
    assert f"friendlyName: {name}" in out
    for file in (folder / f"{name}.cert.pem", made / "tls" / "server.cert.pem", folder / "service.cert.pem"):
        at = str(int(pki.NOW.timestamp()))
        assert "OK" in run(
            "openssl", "verify", "-x509_strict", "-attime", at, "-CAfile", str(folder / "ca.pem"), str(file)
        )


@pytest.mark.live
@pytest.mark.skipif(shutil.which("keytool") is None, reason="no Java")
def test_java_reads_the_key_stores(made):
    def listed(name):
        return run(
            "keytool",
            "-list",
            "-storetype",
            "PKCS12",
            "-keystore",
            str(made / "development" / name),
            "-storepass",
            "development",
        )

    assert "client-1, " in listed("client-1.p12")
    assert "PrivateKeyEntry" in listed("client-2.p12")
    trust = listed("trust.p12")
    assert trust.count("trustedCertEntry") == 2
    assert "service, " in trust
    assert "ca, " in trust
