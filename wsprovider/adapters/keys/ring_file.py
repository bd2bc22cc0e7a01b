"""Read ``keys/<ring>/ring.toml`` and the material beside it.

::

    [[key]]
    name = "2026"
    purposes = ["sign", "decrypt"]            # one or both
    key = "2026.key.pem"                      # readable by its owner only
    certificate = "2026.cert.pem"             # its chain may follow in the same file ...
    chain = "issuing-ca.pem"                  # ... or stand in another
    passphrase_env = "SERVICE_KEY_PASSPHRASE" # or passphrase_file = "2026.pass"; none: not encrypted
    retired_at = 2027-01-01T00:00:00Z         # the successor has taken over

    [[key]]
    name = "2027"
    purposes = ["sign", "decrypt"]
    pkcs12 = "2027.p12"                       # instead of key, certificate and chain
    passphrase_file = "2027.pass"
    active_from = 2027-01-01T00:00:00Z

    [[seal]]
    name = "2026"
    file = "2026.seal"                        # 32 bytes as 64 hexadecimal digits

The dates of keys and seals (``active_from``, ``retired_at``, ``overlap_until``, ``gone_at``) are those
of :mod:`wsprovider.keyring.lifecycle`. Files are named relative to the ring's folder.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from wsprovider.adapters.keys import pem, pkcs12
from wsprovider.adapters.keys.reading import MaterialError, Reader
from wsprovider.adapters.keys.tables import Table
from wsprovider.keyring import checks
from wsprovider.keyring.lifecycle import KeyState, Lifespan, gap
from wsprovider.keyring.material import Certificate, KeyPair
from wsprovider.keyring.ring import Purpose, Ring, RingKey, SealKey, SealKeys
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits

_SOON: Final = timedelta(days=30)
_SEAL_BYTES: Final = 32
_NOBODY: Final = (Ring("", ()), SealKeys())


def read_ring(reader: Reader, name: str, limits: Limits, now: datetime) -> tuple[Ring, SealKeys]:
    """Read one ring; what is wrong is left with the reader.

    A GONE key is kept, so that its certificate stays known as our own, unless its files were deleted.
    """
    folder = reader.folder / name
    where = reader.shown(folder / "ring.toml")
    if not folder.is_dir():
        reader.stamps[folder] = None
        reader.problem(reader.shown(folder), "the ring has no folder")
        return _NOBODY
    try:
        table = Table(reader, where, reader.toml(folder / "ring.toml"))
    except MaterialError as error:
        reader.problem(where, str(error))
        return _NOBODY
    before = len(reader.problems)
    keys = [
        key
        for entry in table.tables("key")
        if (key := _ring_key(reader, entry, folder, limits, now)) is not None
    ]
    seals = [
        seal for entry in table.tables("seal") if (seal := _seal_key(reader, entry, folder, now)) is not None
    ]
    table.finish()
    for kind, names in (
        ("key", [key.pair.name for key in keys]),
        ("seal", [seal.name for seal in seals]),
    ):
        for twice in sorted({one for one in names if names.count(one) > 1}):
            reader.problem(where, f"two [[{kind}]] entries are named {twice!r}")
    if len(reader.problems) == before:  # else a missing key is a consequence, and no news
        _check_cover(reader, where, keys, seals, now)
    return Ring(name, tuple(keys)), SealKeys(tuple(seals))


def _check_cover(
    reader: Reader, where: str, keys: list[RingKey], seals: list[SealKey], now: datetime
) -> None:
    signing = [key.lifespan for key in keys if Purpose.SIGN in key.purposes]
    if not any(span.state(now) is KeyState.ACTIVE for span in signing):
        reader.problem(where, "no key with the purpose 'sign' is active now")
    elif (moment := gap(signing, now)) is not None:
        reader.problem(where, f"no key with the purpose 'sign' is active from {moment.isoformat()} on")
    if not any(
        Purpose.DECRYPT in key.purposes and key.lifespan.state(now) is KeyState.ACTIVE for key in keys
    ):
        reader.problem(where, "no key with the purpose 'decrypt' is active now")
    if seals and not any(seal.lifespan.state(now) is KeyState.ACTIVE for seal in seals):
        reader.problem(where, "no [[seal]] key is active now")


def _ring_key(reader: Reader, entry: Table, folder: Path, limits: Limits, now: datetime) -> RingKey | None:
    name = _name(entry)
    purposes = _purposes(entry)
    lifespan = _lifespan(entry)
    gone = lifespan.state(now) is KeyState.GONE
    try:
        pair = _pair(reader, entry, folder, name, gone=gone)
    except MaterialError as error:
        reader.problem(entry.where, str(error))
        pair = None
    entry.finish()
    if pair is None:
        return None
    try:
        checks.check_key(pair.certificate, limits)
    except WSSecurityError as error:
        reader.problem(entry.where, f"the key cannot be used: {error.detail}")
    if lifespan.state(now) is KeyState.ACTIVE:
        _check_validity(reader, entry, pair.certificate, now)
    if not gone:
        _check_usage(entry, pair.certificate, purposes)
    return RingKey(pair, purposes, lifespan)


def _check_validity(reader: Reader, entry: Table, certificate: Certificate, now: datetime) -> None:
    begins, ends = certificate.parsed.not_valid_before_utc, certificate.parsed.not_valid_after_utc
    if now > ends:
        entry.problem("certificate", f"expired on {ends.isoformat()}")
    elif now < begins:
        entry.problem("certificate", f"is not valid before {begins.isoformat()}")
    elif now > ends - _SOON:
        reader.warn(entry.at("certificate"), f"expires on {ends.isoformat()}")


def _check_usage(entry: Table, certificate: Certificate, purposes: frozenset[Purpose]) -> None:
    if Purpose.DECRYPT in purposes and not checks.can_encrypt(certificate):
        entry.problem("purposes", "the certificate's key usage has no keyEncipherment for 'decrypt'")
    if Purpose.SIGN in purposes:
        try:
            checks.check_signer_usage(certificate)
        except WSSecurityError:
            entry.problem("purposes", "the certificate's key usage has no digitalSignature for 'sign'")


def _pair(reader: Reader, entry: Table, folder: Path, name: str, *, gone: bool) -> KeyPair | None:
    bundle_file, key_file, certificate_file, chain_file = (
        folder / one if one else None
        for one in (entry.text("pkcs12"), entry.text("key"), entry.text("certificate"), entry.text("chain"))
    )
    passphrase = _passphrase(reader, entry, folder)
    files = [one for one in (bundle_file, key_file, certificate_file) if one]
    if gone and not all(file.exists() for file in files):
        return None
    if bundle_file:
        if key_file or certificate_file or chain_file:
            raise MaterialError("pkcs12 stands instead of key, certificate and chain")
        with reader.about(bundle_file):
            private_key, certificate, others = pkcs12.load_bundle(
                reader.read(bundle_file, secret=True), passphrase
            )
    elif key_file and certificate_file:
        with reader.about(key_file):
            private_key = pem.load_private_key(reader.read(key_file, secret=True), passphrase)
        with reader.about(certificate_file):
            certificate, *others_read = pem.load_certificates(reader.read(certificate_file))
            others = tuple(others_read)
        if chain_file:
            with reader.about(chain_file):
                others += pem.load_certificates(reader.read(chain_file))
    else:
        raise MaterialError("needs key and certificate, or pkcs12")
    if private_key.public_key() != certificate.public_key:
        raise MaterialError("the certificate does not belong to the key")
    return KeyPair(name, certificate, private_key, pem.ordered_chain(certificate, others))


def _passphrase(reader: Reader, entry: Table, folder: Path) -> bytes | None:
    variable, file = entry.text("passphrase_env"), entry.text("passphrase_file")
    if variable and file:
        raise MaterialError("passphrase_env or passphrase_file, not both")
    if variable:
        value = reader.environ.get(variable)
        if not value:
            raise MaterialError(f"the environment variable {variable} is not set")
        return value.encode()
    if file:
        return reader.read(folder / file, secret=True).rstrip(b"\r\n")
    return None


def _seal_key(reader: Reader, entry: Table, folder: Path, now: datetime) -> SealKey | None:
    name, lifespan, file = _name(entry), _lifespan(entry), entry.text("file")
    entry.finish()
    if file is None:
        entry.problem("file", "is missing")
        return None
    if lifespan.state(now) is KeyState.GONE:
        return None
    try:
        secret = bytes.fromhex(reader.read(folder / file, secret=True).decode("ascii").strip())
    except MaterialError as error:
        reader.problem(entry.where, str(error))
        return None
    except ValueError:
        secret = b""
    if len(secret) != _SEAL_BYTES:
        reader.problem(entry.where, f"{reader.shown(folder / file)} must hold 64 hexadecimal digits")
        return None
    return SealKey(name, secret, lifespan)


def _name(entry: Table) -> str:
    name = entry.text("name")
    if name is None and "name" not in entry.values:
        entry.problem("name", "is missing")
    return name or ""


def _purposes(entry: Table) -> frozenset[Purpose]:
    known = {purpose.value: purpose for purpose in Purpose}
    given = entry.texts("purposes")
    for one in given:
        if one not in known:
            entry.problem("purposes", f"{one!r} is none of {', '.join(known)}")
    if "purposes" not in entry.values or entry.values["purposes"] == []:
        entry.problem("purposes", 'is missing: ["sign", "decrypt"], or one of them')
    return frozenset(known[one] for one in given if one in known)


def _lifespan(entry: Table) -> Lifespan:
    lifespan = Lifespan(
        entry.moment("active_from"),
        entry.moment("retired_at"),
        entry.moment("overlap_until"),
        entry.moment("gone_at"),
    )
    for what in lifespan.problems():
        entry.problem("active_from", what)
    return lifespan
