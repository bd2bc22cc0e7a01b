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

    [[partner]]                               # while partners are moved to another key one by one:
    name = "acme"
    key = "2027"                              # signs for this one,
    active_from = 2026-12-01T00:00:00Z        # from here on

    [[request]]                               # a key whose certificate a CA still has to issue
    name = "2028"
    purposes = ["sign", "decrypt"]
    key = "2028.key.pem"
    request = "2028.csr.pem"

At the top may stand ``overlap = "30d"`` and ``retention = "90d"``: what missing dates follow from. The rest
is maintained by ``wsprovider keys``, or by hand.

The dates of keys and seals (``active_from``, ``retired_at``, ``overlap_until``, ``gone_at``) are those
of :mod:`wsprovider.keyring.lifecycle`. Files are named relative to the ring's folder. A private key may also
stay in a PKCS#11 token: :mod:`wsprovider.adapters.keys.pkcs11`.
"""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from wsprovider.adapters.keys import pem, pkcs11, pkcs12
from wsprovider.adapters.keys.reading import MaterialError, Reader
from wsprovider.adapters.keys.tables import Table
from wsprovider.keyring import checks
from wsprovider.keyring.lifecycle import NOT_SCHEDULED, OVERLAP, RETENTION, KeyState, Lifespan, gap
from wsprovider.keyring.material import Certificate, KeyPair, PrivateKey
from wsprovider.keyring.ring import Assignment, Purpose, Ring, RingKey, SealKey, SealKeys
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits

LOST: Final = "what was encrypted to it and comes later, or is taken from an archive, cannot be read"
"""What a short retention means."""

_SOON: Final = timedelta(days=30)
_SEAL_BYTES: Final = 32
_NOBODY: Final = (Ring("", ()), SealKeys())


def read_ring(reader: Reader, name: str, limits: Limits, now: datetime) -> tuple[Ring, SealKeys]:
    """Read one ring; what is wrong is left with the reader.

    A GONE key is kept, so that its certificate stays known as our own, unless its files were deleted.
    """
    folder = reader.folder / name
    where = reader.shown(folder / "ring.toml")
    if not folder.is_dir() and not reader.exists(folder / "ring.toml"):
        reader.stamps[folder] = None
        reader.problem(reader.shown(folder), "the ring has no folder")
        return _NOBODY
    try:
        table = Table(reader, where, reader.toml(folder / "ring.toml"))
    except MaterialError as error:
        reader.problem(where, str(error))
        return _NOBODY
    before = len(reader.problems)
    periods = (table.span("overlap", OVERLAP), table.span("retention", RETENTION))
    keys = [
        key
        for entry in table.tables("key")
        if (key := _ring_key(reader, entry, folder, periods, limits, now)) is not None
    ]
    seals = [
        seal
        for entry in table.tables("seal")
        if (seal := _seal_key(reader, entry, folder, periods, now)) is not None
    ]
    for entry in table.tables("request"):
        _check_request(reader, entry, folder)
    assignments = tuple(_assignment(entry) for entry in table.tables("partner"))
    table.finish()
    for kind, names in (
        ("key", [key.pair.name for key in keys]),
        ("seal", [seal.name for seal in seals]),
    ):
        for twice in sorted({one for one in names if names.count(one) > 1}):
            reader.problem(where, f"two [[{kind}]] entries are named {twice!r}")
    if len(reader.problems) == before:  # else a missing key is a consequence, and no news
        _check_cover(reader, where, keys, seals, now)
        _check_assignments(reader, where, assignments, keys)
    return Ring(name, tuple(keys), assignments), SealKeys(tuple(seals))


def _check_cover(
    reader: Reader, where: str, keys: list[RingKey], seals: list[SealKey], now: datetime
) -> None:
    """Whether something signs and decrypts now and for good: else no server starts one day.

    That sealing ends one day is a problem of rings that have to (``sealing`` of
    :func:`wsprovider.adapters.keys.folder.load`), of others it is told.
    """
    for one in Purpose:
        spans = [key.lifespan for key in keys if one in key.purposes]
        what = f"no key with the purpose {one.value!r} is active"
        if not any(span.state(now) is KeyState.ACTIVE for span in spans):
            reader.problem(where, f"{what} now")
        elif (moment := gap(spans, now)) is not None:
            reader.problem(where, f"{what} from {moment.isoformat()} on")
    if seals and SealKeys(tuple(seals)).sealing(now) is None:
        reader.problem(where, "no [[seal]] key is active now")
    elif seals and (lack := SealKeys(tuple(seals)).lack(now)):
        reader.warn(where, lack)


def _check_assignments(
    reader: Reader, where: str, assignments: tuple[Assignment, ...], keys: list[RingKey]
) -> None:
    signing = {key.pair.name for key in keys if Purpose.SIGN in key.purposes}
    begun = Counter((one.partner, one.active_from) for one in assignments)
    for partner in sorted({partner for (partner, _), times in begun.items() if times > 1}):
        what = f"two [[partner]] entries of {partner!r} begin at one moment: delete one of them"
        reader.problem(where, what)
    for one in assignments:
        if one.key not in signing:
            reader.problem(
                where, f"[[partner]] {one.partner!r}: no key with the purpose 'sign' is {one.key!r}"
            )


def _assignment(entry: Table) -> Assignment:
    name, key = _name(entry), entry.text("key")
    if key is None:
        entry.problem("key", "is missing: the name of the key that signs for this partner")
    assignment = Assignment(name, key or "", entry.moment("active_from"))
    entry.finish()
    return assignment


def _check_request(reader: Reader, entry: Table, folder: Path) -> None:
    """Nothing works by it yet: a file that is not there is told, and keeps no server from starting."""
    _name(entry)
    _purposes(entry)
    for kind in ("key", "request"):
        file = entry.text(kind)
        if file is None:
            entry.problem(kind, "is missing")
        elif (folder / file).resolve().parent != folder.resolve():
            reader.warn(entry.at(kind), f"{file!r} is not in the ring's folder: move it there")
        elif not reader.exists(folder / file):
            reader.warn(entry.at(kind), f"{reader.shown(folder / file)} does not exist: make a new request")
    for name in ("passphrase_env", "passphrase_file"):
        entry.text(name)
    entry.finish()


def _ring_key(
    reader: Reader,
    entry: Table,
    folder: Path,
    periods: tuple[timedelta, timedelta],
    limits: Limits,
    now: datetime,
) -> RingKey | None:
    name = _name(entry)
    purposes = _purposes(entry)
    lifespan = _lifespan(entry, periods)
    gone = lifespan.state(now) is KeyState.GONE
    try:
        pair = _pair(reader, entry, folder, name, gone=gone)
    except MaterialError as error:
        if not (gone and isinstance(error, pkcs11.TokenError)):
            reader.problem(entry.where, str(error))
        pair = None
    except WSSecurityError as error:
        reader.problem(entry.where, f"the certificate cannot be used: {error.detail}")
        pair = None
    entry.finish(known=("pkcs11",))  # asked for last
    if pair is None:
        return None
    try:
        checks.check_key(pair.certificate, limits)
    except WSSecurityError as error:
        reader.problem(entry.where, f"the key cannot be used: {error.detail}")
    state, since = lifespan.state(now), lifespan.active_from
    if state is KeyState.ACTIVE:
        _check_validity(reader, entry, pair.certificate, now)
    elif state is KeyState.PENDING and since is not None and since != NOT_SCHEDULED:
        _check_validity(reader, entry, pair.certificate, since)
    if not gone:
        _warn_of_short_retention(reader, entry, lifespan)
        _check_usage(entry, pair.certificate, purposes)
    return RingKey(pair, purposes, lifespan)


def _check_validity(reader: Reader, entry: Table, certificate: Certificate, when: datetime) -> None:
    """Whether it is valid when its key is (or becomes) active."""
    begins, ends = certificate.parsed.not_valid_before_utc, certificate.parsed.not_valid_after_utc
    if when > ends:
        entry.problem("certificate", f"expired on {ends.isoformat()}")
    elif when < begins:
        entry.problem("certificate", f"is not valid before {begins.isoformat()}")
    elif when > ends - _SOON:
        reader.warn(entry.at("certificate"), f"expires on {ends.isoformat()}")


def _warn_of_short_retention(reader: Reader, entry: Table, lifespan: Lifespan) -> None:
    if lifespan.kept is not None and lifespan.kept < RETENTION:
        days = RETENTION.days
        what = f"is kept for {lifespan.kept} after its successor took over, less than {days} days: {LOST}"
        reader.warn(entry.at("retired_at"), what)


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
    place = pkcs11.read_place(reader, entry)
    files = [one for one in (bundle_file, key_file, certificate_file) if one]
    if gone and not all(reader.exists(file) for file in files):
        return None
    if bundle_file:
        if key_file or certificate_file or chain_file:
            raise MaterialError("pkcs12 stands instead of key, certificate and chain")
        with reader.about(bundle_file):
            private_key, certificate, others = pkcs12.load_bundle(
                reader.read(bundle_file, secret=True), passphrase
            )
    elif certificate_file and (place or key_file):
        with reader.about(certificate_file):
            certificate, *others_read = pem.load_certificates(reader.read(certificate_file))
            others = tuple(others_read)
        if chain_file:
            with reader.about(chain_file):
                others += pem.load_certificates(reader.read(chain_file))
        private_key = (
            _key_file(reader, key_file, passphrase)
            if key_file
            else pkcs11.load_token_key(reader, entry, place, passphrase, certificate)
        )
    else:
        raise MaterialError("needs key and certificate, or pkcs11 and certificate, or pkcs12")
    if private_key.public_key() != certificate.public_key:
        raise MaterialError("the certificate does not belong to the key")
    return KeyPair(name, certificate, private_key, pem.ordered_chain(certificate, others))


def _key_file(reader: Reader, file: Path, passphrase: bytes | None) -> PrivateKey:
    with reader.about(file):
        return pem.load_private_key(reader.read(file, secret=True), passphrase)


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


def _seal_key(
    reader: Reader, entry: Table, folder: Path, periods: tuple[timedelta, timedelta], now: datetime
) -> SealKey | None:
    name, lifespan, file = _name(entry), _lifespan(entry, periods), entry.text("file")
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


def _lifespan(entry: Table, periods: tuple[timedelta, timedelta]) -> Lifespan:
    lifespan = Lifespan(
        entry.moment("active_from"),
        entry.moment("retired_at"),
        entry.moment("overlap_until"),
        entry.moment("gone_at"),
        *periods,
    )
    for what in lifespan.problems():
        entry.problem("active_from", what)
    return lifespan
