"""Read a trust group, ``keys/trust/<group>/``: certificates and, optionally, ``trust.toml``.

Pinned partners (what a folder without ``trust.toml`` is)::

    keys/trust/clients/client-1.2026.pem      # partner "client-1": the name up to the first dot
    keys/trust/clients/client-1.2027.pem      # its next certificate; both count while valid
    keys/trust/clients/acme.crt               # PEM or DER; .pem, .crt and .cer are read

    # trust.toml, optional
    kind = "pinned"
    roles = ["partner"]                       # for every partner of the group
    [partners.acme]
    files = ["acme.crt", "old-name.pem"]      # instead of the rule of the first dot
    roles = ["admin"]                         # in addition
    [[partners.acme.certificate]]             # terms of one file, all optional; the file is the partner's
    file = "acme.2027.pem"
    purposes = ["verify", "encrypt"]          # one or both; both where nothing is said
    encrypts_from = 2027-01-01T00:00:00Z      # from here on it is the one that is encrypted to
    gone_at = 2028-01-01T00:00:00Z            # from here on it is not accepted any more

A file whose terms stand in ``trust.toml`` may have any ending; ``.pin`` are those that ``wsprovider keys trust``
writes, which count from the moment on at which ``trust.toml`` names them. Files in ``ignored = ["old-name.pem"]``
count as if they were not there, with a warning.

Customers of a CA::

    kind = "ca"
    anchors = ["root.pem"]                    # where paths may end
    intermediates = ["issuing.pem"]           # known, not trusted by themselves; messages may bring more
    path_length = 2                           # intermediates on a path at most; default 4
    subjects = [                              # mandatory: whom we mean; see keyring/subjects.py
        {CN = "client-*", O = "Bank", roles = ["partner"]},
        {name = "CN=head office,O=Bank,C=CH", partner = "head-office"},
        "CN=client-7,O=Bank",
    ]
    extended_key_usage = ["clientAuth"]       # optional: one of them must be in the certificate; a
                                              # consumer that trusts services may need "serverAuth"
    revocation = "required"                   # or "off"; required as soon as crl is there
    crl = ["root.crl", "issuing.crl"]         # or one name; PEM or DER
    roles = ["customer"]

A certificate file that cannot be read is skipped with a warning, lest one partner's bad file stop all
the others. Anchors and revocation lists are named, so there a bad one is an error.
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from wsprovider.adapters.keys import pem
from wsprovider.adapters.keys.reading import MaterialError, Reader
from wsprovider.adapters.keys.tables import Table
from wsprovider.keyring import checks
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.path import Authorities
from wsprovider.keyring.revocation import RevocationLists
from wsprovider.keyring.subjects import SubjectRule
from wsprovider.keyring.trust import AuthorityGroup, Partner, PeerPurpose, Pin, PinnedGroup, TrustGroup
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits

PIN: Final = ".pin"
"""The ending of files that count only when trust.toml names them."""
SUFFIXES: Final = frozenset({".pem", ".crt", ".cer"})
_IGNORED: Final = (
    "is ignored by trust.toml, nobody is trusted by it: take its name out of ignored, or delete it"
)
_PATH_LENGTH: Final = 4
_USAGES: Final = {
    "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "serverAuth": ExtendedKeyUsageOID.SERVER_AUTH,
    "emailProtection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "codeSigning": ExtendedKeyUsageOID.CODE_SIGNING,
    "documentSigning": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36"),
}


def read_group(reader: Reader, name: str, limits: Limits, now: datetime) -> TrustGroup | None:
    """Read one trust group; what is wrong is left with the reader."""
    folder = reader.folder / "trust" / name
    files = reader.listed(folder)
    if files is None:
        reader.problem(reader.shown(folder), "the trust group has no folder")
        return None
    file = folder / "trust.toml"
    where = reader.shown(file)
    try:
        table = Table(reader, where, reader.toml(file) if file in files else {"kind": "pinned"})
    except MaterialError as error:
        reader.problem(where, str(error))
        return None
    kind = table.text("kind")
    if kind == "pinned":
        group: TrustGroup | None = _pinned(reader, table, name, files, limits)
    elif kind == "ca":
        group = _authority(reader, table, name, folder, limits)
    else:
        table.problem("kind", 'must be "pinned" or "ca"')
        return None
    table.finish()
    if group is not None:
        _warn_of_age(reader, reader.shown(folder), group, now)
    return group


def _warn_of_age(reader: Reader, where: str, group: TrustGroup, now: datetime) -> None:
    """Say what is refused from now on because nobody renewed it; no reason not to start."""
    if isinstance(group, PinnedGroup):
        certificates = [one for partner in group.partners for one in partner.certificates]
    else:
        certificates = [*group.authorities.anchors, *group.authorities.intermediates]
        for one in group.revocation.lists if group.revocation else ():
            if one.next_update_utc is None or one.next_update_utc < now:
                issuer = one.issuer.rfc4514_string()
                reader.warn(where, f"the revocation list of {issuer} is stale: its customers are refused")
    for certificate in certificates:
        if certificate.parsed.not_valid_after_utc < now:
            reader.warn(where, f"the certificate of {certificate.subject} has expired")


def _pinned(reader: Reader, table: Table, name: str, files: list[Path], limits: Limits) -> PinnedGroup:
    everybody = frozenset(table.texts("roles"))
    roles: dict[str, frozenset[str]] = {}
    owner: dict[str, str] = {}
    terms: dict[str, Pin] = {}
    ignored = frozenset(table.texts("ignored"))
    partners = table.raw("partners")
    for partner, values in (partners if isinstance(partners, dict) else {}).items():
        entry = Table(reader, f"{table.where}: partners[{partner}]", values)
        roles[partner] = frozenset(entry.texts("roles"))
        owner.update((file, partner) for file in entry.texts("files"))
        for certificate in entry.tables("certificate"):
            named, pin = _pin(certificate)
            terms[named], owner[named] = pin, partner
        entry.finish()
    if partners is not None and not isinstance(partners, dict):
        table.problem("partners", "must be a table of tables: [partners.<name>]")
    present = {file.name for file in files}
    for missing in sorted(owner.keys() - present - {""}):
        table.problem("partners", f"{missing} does not exist")
    for file in (one for one in files if one.name in ignored - terms.keys()):
        reader.warn(reader.shown(file), _IGNORED)
    found: dict[str, list[Certificate]] = {}
    pins: dict[Certificate, Pin] = {}
    for file in files:
        if (file.suffix.lower() in SUFFIXES and file.name not in ignored) or file.name in terms:
            partner = owner.get(file.name, file.name.split(".", 1)[0])
            certificates = _tolerant(reader, file, limits)
            found.setdefault(partner, []).extend(certificates)
            if file.name in terms:
                pins.update(dict.fromkeys(certificates, terms[file.name]))
    for unknown in sorted(roles.keys() - found.keys()):
        table.problem(f"partners[{unknown}]", "has no certificate in the folder")
    return PinnedGroup(
        name,
        tuple(
            Partner(
                partner,
                tuple(unique := dict.fromkeys(certificates)),
                everybody | roles.get(partner, frozenset()),
                {one: pins[one] for one in unique if one in pins},
            )
            for partner, certificates in found.items()
            if certificates
        ),
    )


def _pin(entry: Table) -> tuple[str, Pin]:
    """The name of a file, and its terms."""
    file = entry.text("file")
    if file is None:
        entry.problem("file", "is missing: the name of a certificate file of the folder")
    known = {purpose.value: purpose for purpose in PeerPurpose}
    given = entry.texts("purposes") or tuple(known)
    for one in given:
        if one not in known:
            entry.problem("purposes", f"{one!r} is none of {', '.join(known)}")
    if entry.values.get("purposes") == []:
        entry.problem("purposes", f"names none: write {' or '.join(known)} or both, or nothing for both")
    purposes = frozenset(known[one] for one in given if one in known)
    pin = Pin(purposes, entry.moment("encrypts_from"), entry.moment("gone_at"))
    entry.finish()
    return file or "", pin


def _tolerant(reader: Reader, file: Path, limits: Limits) -> tuple[Certificate, ...]:
    """The one certificate of a pinned file, or none with a warning."""
    try:
        (first, *others) = pem.load_certificates(reader.read(file))
    except MaterialError as error:
        reader.warn(reader.shown(file), f"SKIPPED, nobody is trusted by it: {error}")
        return ()
    if others:
        # often a chain: pinning the CA that comes along would trust it as a partner
        reader.warn(reader.shown(file), "only the first certificate of the file is pinned")
    try:
        checks.check_key(first, limits)
    except WSSecurityError as error:
        reader.warn(reader.shown(file), f"SKIPPED, nobody is trusted by it: {error}")
        return ()
    try:
        checks.check_signer_usage(first)
    except WSSecurityError:
        # kept all the same: a consumer may only want to encrypt to it
        reader.warn(reader.shown(file), "its key usage has no digitalSignature: what it signs is refused")
    return (first,)


def _authority(
    reader: Reader, table: Table, name: str, folder: Path, limits: Limits
) -> AuthorityGroup | None:
    anchors = _named_certificates(reader, table, "anchors", folder, limits)
    intermediates = _named_certificates(reader, table, "intermediates", folder, limits)
    path_length = table.number("path_length", _PATH_LENGTH)
    roles = frozenset(table.texts("roles"))
    subjects = tuple(_subjects(table, roles))
    usages = table.texts("extended_key_usage")
    for unknown in sorted(set(usages) - _USAGES.keys()):
        table.problem("extended_key_usage", f"{unknown!r} is none of {', '.join(_USAGES)}")
    revocation = _revocation(reader, table, folder)
    if not anchors:
        table.problem("anchors", "needs at least one file with a CA's certificate")
    if not table.values.get("subjects"):
        table.problem(
            "subjects",
            "is mandatory: a CA vouches for everybody it ever certified, so say whom you mean, "
            'such as [{CN = "client-*", O = "Bank"}]',
        )
    if not anchors or not subjects:
        return None
    return AuthorityGroup(
        name,
        Authorities(anchors, intermediates, path_length),
        subjects,
        frozenset(_USAGES[one] for one in usages if one in _USAGES),
        revocation,
    )


def _named_certificates(
    reader: Reader, table: Table, field: str, folder: Path, limits: Limits
) -> tuple[Certificate, ...]:
    found: list[Certificate] = []
    for one in table.texts(field):
        try:
            certificates = pem.load_certificates(reader.read(folder / one))
        except MaterialError as error:
            table.problem(field, f"{one}: {error}")
            continue
        for certificate in certificates:
            try:
                checks.check_authority(certificate, limits)
            except WSSecurityError as error:
                table.problem(field, f"{one}: {error.detail}")
        found += certificates
    return tuple(dict.fromkeys(found))


def _subjects(table: Table, everybody: frozenset[str]) -> Iterable[SubjectRule]:
    given = table.raw("subjects")
    if given is not None and not isinstance(given, list):
        table.problem("subjects", "must be a list of names and tables of attributes")
        return
    for place, one in enumerate(given or (), start=1):
        try:
            yield _rule({"name": one} if isinstance(one, str) else one, everybody)
        except ValueError as error:
            table.problem(f"subjects[{place}]", str(error))


def _rule(given: Any, everybody: frozenset[str]) -> SubjectRule:
    if not isinstance(given, dict):
        raise ValueError("must be a name or a table of attributes")  # noqa: TRY004 - one family for the caller
    attributes = dict(given)
    name, partner = attributes.pop("name", None), attributes.pop("partner", None)
    roles = attributes.pop("roles", [])
    texts = [*attributes.values(), *(one for one in (name, partner) if one is not None)]
    if not isinstance(roles, list) or not all(isinstance(one, str) and one for one in [*texts, *roles]):
        raise ValueError("attributes, name and partner must be texts, roles a list of texts")
    if (name is None) == (not attributes):
        raise ValueError("needs either name or attributes")
    allowed = everybody | frozenset(roles)
    if name is not None:
        return SubjectRule.of_name(name, partner, allowed)
    return SubjectRule.of_attributes(attributes, partner, allowed)


def _revocation(reader: Reader, table: Table, folder: Path) -> RevocationLists | None:
    given = table.raw("crl")
    files = (given,) if isinstance(given, str) else table.texts("crl")
    wanted = table.text("revocation") or ("required" if files else "off")
    if wanted not in ("required", "off"):
        table.problem("revocation", 'must be "required" or "off"')
    if wanted == "required" and not files:
        table.problem("crl", 'revocation = "required" needs at least one revocation list')
    if wanted == "off":
        if files:
            table.problem("revocation", '"off" contradicts crl: take one of them away')
        return None
    lists: list[x509.CertificateRevocationList] = []
    for one in files:
        try:
            lists += pem.load_revocation_lists(reader.read(folder / one))
        except MaterialError as error:
            table.problem("crl", f"{one}: {error}")
    return RevocationLists(tuple(lists))
