"""``wsprovider keys new|import|certificate|export``: where keys come from, and what is given away of them."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

from cryptography import x509

from wsprovider.adapters.keys import pem
from wsprovider.adapters.keys.editing import Document
from wsprovider.adapters.keys.folder import load_snapshot
from wsprovider.adapters.keys.importing import complete, read_material
from wsprovider.adapters.keys.making import (
    KINDS,
    Material,
    certificates_pem,
    new_key,
    self_signed,
    signing_request,
    subject_of,
)
from wsprovider.adapters.keys.reading import MaterialError, Reader
from wsprovider.adapters.keys.ring_changes import FILE, RingChange
from wsprovider.adapters.shared.writing import write_whole
from wsprovider.cli.folders import add_folders, environ_of
from wsprovider.cli.keys.changing import (
    RING,
    add_passphrase,
    add_protection,
    add_ring,
    change_ring,
    folder_of,
    passphrase,
    protection,
)
from wsprovider.keyring.lifecycle import KeyState
from wsprovider.keyring.material import PublicKey
from wsprovider.keyring.ring import Purpose, RingKey
from wsprovider.words.errors import ConfigurationError, Problem
from wsprovider.words.limits import Limits

_SEAL: Final = "seal"
_SEAL_BYTES: Final = 32
_DAYS: Final = 730
_STANDARD_INPUT: Final = "-"


def register(verbs: Any) -> None:
    """Add the commands."""
    new = verbs.add_parser("new", help="make a key, with a certificate of its own or a request to a CA")
    new.add_argument("name", help="the new key's name in its ring, such as 2027")
    _add_purposes(new, [*(one.value for one in Purpose), _SEAL])
    new.add_argument("--kind", choices=KINDS, default="rsa-3072", help="default: %(default)s")
    new.add_argument(
        "--subject",
        metavar="NAME",
        help='such as "CN=orders,O=Bank,C=CH" (default: that of the key that signs now)',
    )
    new.add_argument(
        "--days", type=int, default=_DAYS, help="a certificate of its own: its life (default: %(default)s)"
    )
    new.add_argument(
        "--csr", action="store_true", help="ask a CA: write a request (PKCS#10) and no certificate"
    )
    add_protection(new)
    add_ring(new)
    new.set_defaults(run=run_new)

    importing = verbs.add_parser("import", help="take over a key that exists: PEM, PKCS#12, JKS")
    importing.add_argument("name", help="its name in the ring")
    importing.add_argument("files", nargs="+", type=Path, metavar="FILE", help="the key store, or PEM files")
    _add_purposes(importing, [one.value for one in Purpose])
    importing.add_argument("--alias", help="which key of a key store")
    add_passphrase(importing, "passphrase", "what opens the file")
    add_passphrase(importing, "key-passphrase", "what opens the key, where that is another")
    add_protection(importing)
    add_ring(importing)
    importing.set_defaults(run=run_import)

    certificate = verbs.add_parser("certificate", help="attach the certificate that a CA has issued")
    certificate.add_argument("name", help="the key's name in the ring")
    certificate.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="what the CA returned: PEM, DER, PKCS#7; with its chain",
    )
    certificate.add_argument(
        "--as",
        dest="renamed",
        metavar="NEW",
        help="the key has a certificate already: the name of the entry for the same key with the new one",
    )
    add_ring(certificate)
    certificate.set_defaults(run=run_certificate)

    export = verbs.add_parser(
        "export", help="print a key's certificate, or request, for partners; never the key"
    )
    export.add_argument("name", help="the key's name in the ring")
    export.add_argument("--chain", action="store_true", help="with the certificates of its CAs")
    export.add_argument("--der", action="store_true", help="in DER instead of PEM; needs --out")
    export.add_argument("--out", type=Path, metavar="FILE", help="write a file instead")
    export.add_argument(
        "--ring", default=RING, metavar="RING", help="the ring's folder (default: %(default)s)"
    )
    add_folders(export)
    export.set_defaults(run=run_export)


def run_new(options: argparse.Namespace) -> int:
    """Make a key, or a seal key."""
    wanted = options.purpose or [one.value for one in Purpose]
    if _SEAL in wanted:
        if set(wanted) != {_SEAL}:
            raise ConfigurationError([Problem("--purpose", "a seal key does nothing else: make two keys")])
        return change_ring(options, lambda ring: _new_seal(ring, options))
    purposes = frozenset(Purpose(one) for one in wanted)
    return change_ring(options, lambda ring: _new(ring, options, purposes))


def run_import(options: argparse.Namespace) -> int:
    """Take over a key."""
    purposes = frozenset(Purpose(one) for one in options.purpose or [one.value for one in Purpose])
    files = _contents(options.files)
    opens, opens_key = passphrase(options, "passphrase"), passphrase(options, "key_passphrase")

    def work(ring: RingChange) -> Iterator[str]:
        with _about(options.files):
            material = read_material(files, opens, alias=options.alias, key_passphrase=opens_key)
        ring.add(options.name, purposes, material, protection=protection(options, ring))
        yield from _next(ring, options.name)

    return change_ring(options, work)


def run_certificate(options: argparse.Namespace) -> int:
    """Attach a certificate."""
    files = _contents(options.files)

    def work(ring: RingChange) -> Iterator[str]:
        with _about(options.files):
            certificate, chain = complete(_public_key(ring, options), files, now=ring.now)
        ring.complete(options.name, certificate, chain, renamed=options.renamed)
        yield from _next(ring, options.renamed or options.name)

    return change_ring(options, work)


def run_export(options: argparse.Namespace) -> int:
    """Give away what is public."""
    content = _public(options)
    if options.out is not None:
        write_whole(options.out, content)
        options.out.chmod(0o644)
        print(f"wrote {options.out}")
    else:
        sys.stdout.write(content.decode())
    return 0


def ring_key(options: argparse.Namespace, name: str) -> RingKey:
    """A key of the ring that the options name.

    Raises:
        ConfigurationError: the ring does not load, or has no such key.
    """
    folder = folder_of(options)
    ring = load_snapshot(
        folder, options.ring, (), limits=Limits(), now=datetime.now(UTC), environ=environ_of(options)
    ).snapshot.ring
    for key in ring.keys:
        if key.pair.name == name:
            return key
    there = ", ".join(key.pair.name for key in ring.keys)
    raise ConfigurationError(
        [Problem(f"{folder.name}/{options.ring}", f"has no key {name!r}; there are: {there}")]
    )


def _new(ring: RingChange, options: argparse.Namespace, purposes: frozenset[Purpose]) -> Iterator[str]:
    subject = _subject(ring, options)
    if Purpose.DECRYPT in purposes and not options.kind.startswith("rsa-"):
        what = f"{options.kind} keys only sign: add --purpose sign, or make an RSA key"
        raise ConfigurationError([Problem("--kind", what)])
    key = new_key(options.kind)
    guarded = protection(options, ring)
    if options.csr:
        request = signing_request(key, subject, purposes=purposes)
        path = ring.add_request(options.name, purposes, key, request, protection=guarded)
        yield f"next: have a CA sign {path}, then: wsprovider keys certificate {options.name} FILE"
        return
    if not 0 < options.days <= 36500:
        raise ConfigurationError([Problem("--days", "must be between 1 and 36500")])
    begins = ring.now.replace(microsecond=0) - timedelta(hours=1)  # clocks of partners may be behind
    certificate = self_signed(
        key, subject, purposes=purposes, begins=begins, ends=ring.now + timedelta(days=options.days)
    )
    ring.add(options.name, purposes, Material(key, certificate), protection=guarded)
    yield from _next(ring, options.name)


def _new_seal(ring: RingChange, options: argparse.Namespace) -> Iterator[str]:
    ring.add_seal(options.name, os.urandom(_SEAL_BYTES))
    entry = ring.document.entry(_SEAL, options.name)
    if entry is not None and "active_from" in entry:
        yield f"next: when every machine has it: wsprovider keys activate {options.name} --seal"


def _next(ring: RingChange, name: str) -> Iterator[str]:
    entry = ring.document.entry("key", name)
    if entry is not None and "active_from" in entry:
        yield f"key {name} is pending: it decrypts, and signs for nobody yet"
        yield f"next: wsprovider keys export {name}, send it to the partners, then: wsprovider keys activate {name}"


def _subject(ring: RingChange, options: argparse.Namespace) -> x509.Name:
    if options.subject is not None:
        try:
            return subject_of(options.subject)
        except ValueError as error:
            raise ConfigurationError([Problem("--subject", str(error))]) from None
    if not ring.fresh:
        loaded = load_snapshot(
            ring.change.folder, ring.name, (), limits=Limits(), now=ring.now, environ=environ_of(options)
        )
        for key in loaded.snapshot.ring.keys:
            if key.lifespan.state(ring.now) is KeyState.ACTIVE:
                return key.pair.certificate.parsed.subject
    raise ConfigurationError([Problem("--subject", 'is needed for a new ring, such as "CN=orders,O=Bank"')])


def _public_key(ring: RingChange, options: argparse.Namespace) -> PublicKey:
    """Of a requested key by its request, of another one by its certificate."""
    request = ring.document.entry("request", options.name)
    reader = Reader(ring.change.folder, environ_of(options))
    if request is not None:
        found = x509.load_pem_x509_csr(reader.read(ring.folder / str(request.get("request")))).public_key()
        return cast("PublicKey", found)  # we made it
    entry = ring.document.entry("key", options.name)
    if entry is None or "certificate" not in entry:
        there = ", ".join([*ring.document.names("request"), *ring.document.names("key")]) or "none"
        what = f"no key {options.name!r} waits for a certificate; there are: {there}"
        raise ConfigurationError([Problem(ring.where, what)])
    return pem.load_certificates(reader.read(ring.folder / str(entry["certificate"])))[0].public_key


def _public(options: argparse.Namespace) -> bytes:
    folder = folder_of(options) / options.ring
    file = folder / FILE
    document = Document(file.read_bytes() if file.exists() else b"", f"{folder.name}/{FILE}")
    request = document.entry("request", options.name)
    if request is not None:
        asked: bytes = (folder / str(request.get("request"))).read_bytes()
        return asked
    pair = ring_key(options, options.name).pair
    if options.der:
        if options.out is None:
            raise ConfigurationError([Problem("--der", "would garble a terminal: name a file with --out")])
        return pair.certificate.der
    return certificates_pem((pair.certificate, *(pair.chain if options.chain else ())))


def _add_purposes(command: argparse.ArgumentParser, choices: list[str]) -> None:
    command.add_argument(
        "--purpose",
        action="append",
        choices=choices,
        help="what it is for; may be repeated (default: sign and decrypt)",
    )


def _contents(files: list[Path]) -> list[bytes]:
    """The contents of files; ``-`` is standard input.

    Raises:
        ConfigurationError: one cannot be read.
    """
    found = []
    for file in files:
        try:
            found.append(sys.stdin.buffer.read() if str(file) == _STANDARD_INPUT else file.read_bytes())
        except OSError as error:
            raise ConfigurationError([Problem(str(file), f"cannot be read: {error.strerror}")]) from None
    return found


@contextmanager
def _about(files: list[Path]) -> Iterator[None]:
    try:
        yield
    except MaterialError as error:
        raise ConfigurationError([Problem(", ".join(map(str, files)), str(error))]) from None
