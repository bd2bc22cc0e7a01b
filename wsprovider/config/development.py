"""Keys for the first run: everything a developer needs to see sixteen scenarios work, made once.

What is made is plainly marked (``O=wsprovider development`` in every subject), expires after two
years, and is never written over anything: a keys folder with anything in it is left as it is. The
folder appears as a whole, by one rename, so that workers starting together do not mix two sets.

::

    keys/service/            the service's ring: ring.toml, RSA key and certificate, seal key
    keys/trust/clients/      client-1.pem, client-2.pem: who may call, pinned
    keys/kerberos/           echo.keytab: a random key of a principal that no KDC knows yet
    keys/tls/                server.key.pem, server.cert.pem: for gunicorn, apart from the ring
    keys/development/        what partners get: CA, service certificate, client key stores, README.md
    keys/users.toml          written by a callback
"""

import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from wsprovider.adapters.kerberos.enctypes import NUMBERS
from wsprovider.adapters.kerberos.keytab import KeytabKey, write_keytab
from wsprovider.adapters.kerberos.principal import Principal
from wsprovider.adapters.keys.folder import Loaded
from wsprovider.config.development_pki import ORGANIZATION, authority, client, server
from wsprovider.keyring.names import exact
from wsprovider.ports import Entropy
from wsprovider.words.errors import ConfigurationError, Problem

PASSWORD: Final = "development"  # noqa: S105 - printed in the README beside the key stores it opens
CLIENTS: Final = ("client-1", "client-2")
PRINCIPAL: Final = Principal(("HTTP", "localhost"), "DEVELOPMENT.LOCAL")

_RING: Final = """\
# Development keys; see ../development/README.md. A real ring has the same form.
[[key]]
name = "development"
purposes = ["sign", "decrypt"]
key = "development.key.pem"
certificate = "development.cert.pem"

[[seal]]
name = "development"
file = "development.seal"
"""

_README: Final = f"""\
# Development keys

Made by the first run, for trying things out on this machine. Anybody who can read this folder can be
the service and both of its clients. Never deploy them: the server warns when it finds them on an
address other than loopback.

| file | what it is |
|---|---|
| `ca.pem`, `ca.key.pem` | the certificate authority that issued everything here; trust `ca.pem` for TLS |
| `service.cert.pem` | the service's certificate: consumers encrypt to it and check replies with it |
| `trust.p12` | the same and `ca.pem` as a Java trust store, password `{PASSWORD}`, aliases `service` and `ca` |
| `client-1.p12`, `client-2.p12` | a client's key and certificate as a key store, password `{PASSWORD}`, alias as the file's name |
| `client-1.key.pem`, `client-1.cert.pem`, ... | the same in PEM, not encrypted |
| `../service/` | the service's own ring; `ring.toml` says what is in it |
| `../trust/clients/` | the clients' certificates, pinned: whoever holds their keys may call |
| `../tls/` | key and certificate for HTTPS on localhost |
| `../users.toml` | users for the scenarios with a user name |
| `../kerberos/echo.keytab` | a random key of `{PRINCIPAL}`, for which no KDC gives tickets yet |

To call the scenario with Kerberos, have a KDC of the realm `{PRINCIPAL.realm}` put its own key of that principal into the
keytab; the server takes it over within a second:

```
kadmin.local -q "addprinc -randkey {PRINCIPAL}"
kadmin.local -q "ktadd -k keys/kerberos/echo.keytab {PRINCIPAL}"
```

Or put a keytab of another realm in its place, and start the server again.

To start afresh, delete the keys folder. To go live, put rings and trust of your own in its place.
"""


@dataclass(frozen=True, slots=True)
class CreatedOrExisting:
    """What :func:`create_development_keys` did.

    Attributes:
        folder: the keys folder.
        created: whether it was made now; otherwise nothing was touched.
    """

    folder: Path
    created: bool


def create_development_keys(
    folder: Path,
    *,
    now: datetime,
    write_users: Callable[[Path], None],
    entropy: Entropy = os.urandom,
) -> CreatedOrExisting:
    """Make a keys folder, unless there is one already.

    Args:
        folder: the keys folder; missing or empty, or nothing is done.
        now: the certificates are valid from a day before.
        write_users: writes the user store to the path it is given.
        entropy: where the seal key comes from.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    if _occupied(folder):
        return CreatedOrExisting(folder, created=False)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = folder.parent / f".{folder.name}.{secrets.token_hex(8)}"
        staging.mkdir(mode=0o700)
        try:
            _fill(staging, now, write_users, entropy)
            return CreatedOrExisting(folder, created=_move(staging, folder))
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        what = f"development keys cannot be created: {error.strerror}"
        raise ConfigurationError([Problem(folder.name, what)]) from None


def uses_development_keys(keys_folder: Path, loaded: Loaded) -> bool:
    """Whether the service's own keys, or what it trusts, came from here.

    Told by the organization in the certificates, so that a copied or renamed folder is found out too;
    and by the ``development`` folder itself, for a service without a ring still uses the users and the
    TLS key that were made with it.
    """
    certificates = [key.pair.certificate for key in loaded.snapshot.ring.keys]
    certificates += loaded.snapshot.trusted_certificates
    return (keys_folder / "development" / "ca.key.pem").exists() or any(
        value == ORGANIZATION for one in certificates for rdn in exact(one.parsed.subject) for _, value in rdn
    )


def _occupied(folder: Path) -> bool:
    return folder.is_symlink() or (
        folder.exists() and (not folder.is_dir() or next(folder.iterdir(), None) is not None)
    )


def _move(staging: Path, folder: Path) -> bool:
    """Put what was made in its place, whole; False when somebody else was faster."""
    try:
        staging.rename(folder)  # takes the place of nothing, or of an empty folder
    except OSError:
        if _occupied(folder):
            return False
        # an empty mount point cannot be replaced: fill it, the ring (what is looked for) last
        inner = folder / ".creating"
        try:
            inner.mkdir(mode=0o700)
        except FileExistsError:
            return False
        shutil.copytree(staging, inner, dirs_exist_ok=True)
        for entry in sorted(inner.iterdir(), key=lambda one: (one.name == "service", one.name)):
            entry.rename(folder / entry.name)
        inner.rmdir()
    return True


def _fill(folder: Path, now: datetime, write_users: Callable[[Path], None], entropy: Entropy) -> None:
    ca = authority(now)
    service = server("service", ca, now)
    tls = server("tls server", ca, now)
    for name in ("service", "trust", "trust/clients", "tls", "kerberos", "development"):
        (folder / name).mkdir(mode=0o700)
    ring, development = folder / "service", folder / "development"
    _write(ring / "development.key.pem", service.key_pem)
    _write(ring / "development.cert.pem", service.cert_pem)
    _write(ring / "development.seal", entropy(32).hex().encode() + b"\n")
    _write(ring / "ring.toml", _RING.encode())
    _write(folder / "tls" / "server.key.pem", tls.key_pem)
    _write(folder / "tls" / "server.cert.pem", tls.cert_pem)
    # version 1, so that a key that a KDC adds has another one; the kind that every KDC makes
    key = KeytabKey(PRINCIPAL, 1, NUMBERS["aes256-cts-hmac-sha1-96"], entropy(32))
    _write(folder / "kerberos" / "echo.keytab", write_keytab([key]))
    _write(development / "ca.pem", ca.cert_pem)
    _write(development / "ca.key.pem", ca.key_pem)
    _write(development / "service.cert.pem", service.cert_pem)
    _write(development / "trust.p12", service.java_truststore("service", PASSWORD, ca=ca))
    for name in CLIENTS:
        holder = client(name, ca, now)
        _write(folder / "trust" / "clients" / f"{name}.pem", holder.cert_pem)
        _write(development / f"{name}.key.pem", holder.key_pem)
        _write(development / f"{name}.cert.pem", holder.cert_pem)
        _write(development / f"{name}.p12", holder.pkcs12(name, PASSWORD, ca=ca))
    _write(development / "README.md", _README.encode())
    write_users(folder / "users.toml")


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
