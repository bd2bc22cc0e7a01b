"""Keys and certificates that were made elsewhere: whatever the files hold, told by their contents.

Read are PEM, DER, PKCS#7 chains, PKCS#12, JKS and JCEKS. What is returned belongs together: the certificate
is the key's, and each certificate of the chain has signed the one before it. Whether any of it is trusted,
or may be used for a purpose, is not judged here.
"""

import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, PKCS12KeyAndCertificates

from wsprovider.adapters.keys import jks, pem, pkcs12
from wsprovider.adapters.keys.making import Material
from wsprovider.adapters.keys.reading import MaterialError
from wsprovider.keyring.material import Certificate, PrivateKey, PublicKey
from wsprovider.words.errors import WSSecurityError

_LABEL: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,64})-----")
_CERTIFICATE: Final = frozenset({b"CERTIFICATE", b"X509 CERTIFICATE"})
_PKCS7: Final = b"PKCS7"


class _Form(Enum):
    """What a file is."""

    PEM = "PEM"
    CERTIFICATE = "a certificate in DER"
    KEY = "a private key in DER"
    CHAIN = "PKCS#7 in DER"
    PKCS12 = "PKCS#12"
    JAVA = "a Java key store"


@dataclass(frozen=True, slots=True)
class _Part:
    """What one file holds."""

    certificates: tuple[Certificate, ...] = ()
    key: PrivateKey | None = field(default=None, repr=False)
    of_store: bool = False


@dataclass(frozen=True, slots=True)
class _Opening:
    """How files that need it are opened."""

    passphrase: bytes | None = field(default=None, repr=False)
    key_passphrase: bytes | None = field(default=None, repr=False)
    alias: str | None = None


def read_material(
    files: Sequence[bytes],
    passphrase: bytes | None,
    *,
    alias: str | None = None,
    key_passphrase: bytes | None = None,
) -> Material:
    """One private key with its certificate and chain, out of one or several files in any order.

    Args:
        files: their contents.
        passphrase: of the key in PEM, or of the key store; None: not encrypted.
        alias: which key of a key store; need not be told where there is only one.
        key_passphrase: of the key in a Java key store, where it is not that of the store.

    Raises:
        MaterialError: something cannot be read, there is not exactly one key, there is no certificate of
            it, or a certificate is not signed by the one that it names as its issuer.
    """
    opening = _Opening(passphrase, key_passphrase, alias)
    parts = _read_all(files, lambda content: _part(content, opening))
    keys = [part.key for part in parts if part.key is not None]
    if not keys:
        raise MaterialError("there is no private key in it: give the file with the key, too")
    key, public = keys[0], keys[0].public_key()
    if any(one.public_key() != public for one in keys):
        raise MaterialError("there are several private keys in it: give one key with its certificates")
    if alias is not None and not any(part.of_store for part in parts):
        raise MaterialError(
            f"an alias ({alias!r}) chooses a key of a key store, and there is none: leave it out"
        )
    certificates = _distinct(parts)
    owned = _owned(public, certificates)
    if not owned:
        raise MaterialError(
            _of_another_key(certificates, "give the file with the key's own certificate, too")
        )
    return Material(key, owned[0], _chain(owned[0], certificates))


def complete(
    key: PrivateKey | PublicKey, files: Sequence[bytes], *, now: datetime
) -> tuple[Certificate, tuple[Certificate, ...]]:
    """The certificate that a CA returned for the key, and the chain that came with it.

    A certificate that is not yet valid is returned: the ring judges that when its key becomes active.

    Raises:
        MaterialError: something cannot be read, the certificates are of another key, the key's has
            expired, or one is not signed by the one that it names as its issuer.
    """
    certificates = _distinct(_read_all(files, lambda content: _Part(_certificates(content))))
    public = key.public_key() if isinstance(key, PrivateKey) else key
    owned = _owned(public, certificates)
    if not owned:
        raise MaterialError(_of_another_key(certificates, "give what the CA returned for this key's request"))
    current = [one for one in owned if now <= one.parsed.not_valid_after_utc]
    if not current:
        ended = owned[0].parsed.not_valid_after_utc.isoformat()
        raise MaterialError(
            f"the certificate of {owned[0].subject} has expired on {ended}: ask the CA for another"
        )
    return current[0], _chain(current[0], certificates)


def _read_all(files: Sequence[bytes], read: Callable[[bytes], _Part]) -> list[_Part]:
    parts = []
    for number, content in enumerate(files, start=1):
        try:
            parts.append(read(content))
        except MaterialError as error:
            where = f"file {number} of {len(files)}: " if len(files) > 1 else ""
            raise MaterialError(f"{where}{error}") from None
    return parts


def _form(content: bytes) -> _Form:
    """Told by magic and label, or by what stands first in the DER structure."""
    if jks.is_store(content):
        return _Form.JAVA
    if _LABEL.search(content):
        return _Form.PEM
    inside = _inside(content)
    if inside[:3] == b"\x02\x01\x03":  # RFC 7292, section 4: version v3
        return _Form.PKCS12
    if inside[:1] == b"\x06":  # RFC 5652, section 3: the content's type
        return _Form.CHAIN
    if inside[:2] == b"\x02\x01" or _inside(inside)[:1] == b"\x06":
        return _Form.KEY  # a version (RFC 5208, RFC 8017, RFC 5915), or the algorithm that encrypts it
    if _inside(inside):
        return _Form.CERTIFICATE
    raise MaterialError("neither PEM, nor DER, nor a PKCS#7, PKCS#12 or Java key store file")


def _inside(content: bytes) -> bytes:
    """What the SEQUENCE at the beginning begins with; empty if there is none."""
    if len(content) < 2 or content[0] != 0x30:
        return b""
    start = 2 + (content[1] & 0x7F if content[1] & 0x80 else 0)
    return content[start : start + 16]


def _part(content: bytes, opening: _Opening) -> _Part:
    form = _form(content)
    if form is _Form.JAVA:
        return _java(content, opening)
    if form is _Form.PKCS12:
        return _bundle(content, opening)
    labels = _LABEL.findall(content)
    private = sum(one.endswith(b"PRIVATE KEY") for one in labels)
    if private > 1:
        raise MaterialError("it holds several private keys: give one key with its certificates")
    if not private and form is not _Form.KEY:
        return _Part(_certificates(content))
    passphrase = opening.passphrase if opening.key_passphrase is None else opening.key_passphrase
    beside = _certificates(content) if {*labels} & {*_CERTIFICATE, _PKCS7} else ()
    return _Part(beside, pem.load_private_key(content, passphrase))


def _certificates(content: bytes) -> tuple[Certificate, ...]:
    form, labels = _form(content), {*_LABEL.findall(content)}
    if form is _Form.CERTIFICATE or labels & _CERTIFICATE:
        return pem.load_certificates(content)
    if form is _Form.CHAIN or _PKCS7 in labels:
        load = pkcs7.load_der_pkcs7_certificates if form is _Form.CHAIN else pkcs7.load_pem_pkcs7_certificates
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # sets in another order than DER's, as openssl leaves them
                found = load(content)
        except Exception:  # noqa: BLE001 - bad ASN.1 raises several families
            raise MaterialError("the PKCS#7 file cannot be read, or it holds no certificates") from None
        return _wrapped(found)
    what = form.value if form is not _Form.PEM else b", ".join(sorted(labels)).decode()
    raise MaterialError(f"there is no certificate in it ({what})")


def _wrapped(certificates: Iterable[x509.Certificate]) -> tuple[Certificate, ...]:
    return _parsed(one.public_bytes(Encoding.DER) for one in certificates)


def _parsed(certificates: Iterable[bytes]) -> tuple[Certificate, ...]:
    return tuple(one for der in certificates for one in pem.load_certificates(der))


def _bundle(content: bytes, opening: _Opening) -> _Part:
    bundle = pkcs12.open_bundle(content, opening.passphrase)
    certificates = [one for one in (bundle.cert, *bundle.additional_certs) if one is not None]
    if bundle.key is not None:
        _check_alias(bundle, opening.alias)
    return _Part(
        _wrapped(one.certificate for one in certificates),
        None if bundle.key is None else pem.usable(bundle.key),
        of_store=True,
    )


def _check_alias(bundle: PKCS12KeyAndCertificates, alias: str | None) -> None:
    """Only the first of several keys can be had: it must be the one that is meant."""
    name = _friendly_name(bundle.cert)
    others = [_friendly_name(one) for one in bundle.additional_certs if _may_have_a_key(one.certificate)]
    if alias is None and any(others):
        raise MaterialError(
            f"the PKCS#12 file has several entries: name one of these aliases: {_list([name, *others])}"
        )
    if alias is not None and alias.casefold() != name.casefold():
        raise MaterialError(
            f"the first key of the PKCS#12 file has the alias {name!r}, not {alias!r}, and no other can be read "
            f"from it: to have another in a file of its own, {jks.TO_PKCS12}"
        )


def _friendly_name(certificate: PKCS12Certificate | None) -> str:
    return ((certificate and certificate.friendly_name) or b"").decode("utf-8", "replace")


def _may_have_a_key(certificate: x509.Certificate) -> bool:
    # those of CAs are named by some tools, too; theirs are no keys that messages are signed with
    try:
        return not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return True
    except Exception:  # noqa: BLE001 - bad ASN.1 raises several families; reading it says what is wrong
        return False


def _java(content: bytes, opening: _Opening) -> _Part:
    if opening.passphrase is None:
        raise MaterialError("a Java key store is read with its passphrase only: name it")
    entries = jks.read_entries(content, opening.passphrase)
    others = _parsed(der for one in entries if one.hidden is None for der in one.chain)
    keys = [one for one in entries if one.hidden is not None]
    if keys and opening.alias is not None:
        keys = [one for one in keys if one.alias.casefold() == opening.alias.casefold()]
        if not keys:
            names = _list(one.alias for one in entries if one.hidden is not None)
            raise MaterialError(
                f"the Java key store has no key {opening.alias!r}: name one of these aliases: {names}"
            )
    if len(keys) > 1:
        names = _list(one.alias for one in keys)
        raise MaterialError(f"the Java key store has several keys: name one of these aliases: {names}")
    if not keys:
        return _Part(others, of_store=True)
    passphrase = opening.passphrase if opening.key_passphrase is None else opening.key_passphrase
    return _Part(_parsed(keys[0].chain) + others, jks.private_key(keys[0], passphrase), of_store=True)


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(repr(one[:80]) for one in names if one))


def _distinct(parts: Iterable[_Part]) -> tuple[Certificate, ...]:
    return tuple(dict.fromkeys(one for part in parts for one in part.certificates))


def _owned(public: PublicKey, certificates: Iterable[Certificate]) -> list[Certificate]:
    """The certificates of the key: what a CA has issued before what the key signed itself, the newest first."""
    owned = [one for one in certificates if _public_key(one) == public]
    return sorted(
        owned,
        key=lambda one: (one.parsed.subject != one.parsed.issuer, one.parsed.not_valid_before_utc),
        reverse=True,
    )


def _public_key(certificate: Certificate) -> PublicKey | None:
    try:
        return certificate.public_key
    except WSSecurityError:
        return None  # of a kind that no key of ours has


def _of_another_key(certificates: Sequence[Certificate], advice: str) -> str:
    if not certificates:
        return f"there is no certificate in it: {advice}"
    issuers = [one.parsed.issuer for one in certificates if one.parsed.issuer != one.parsed.subject]
    holders = [one for one in certificates if one.parsed.subject not in issuers] or certificates
    subjects = "; ".join(one.subject for one in holders[:3])
    return f"no certificate in it belongs to the key (found: {subjects}): {advice}"


def _chain(certificate: Certificate, certificates: Sequence[Certificate]) -> tuple[Certificate, ...]:
    """The chain, each signed by the next; those that lead nowhere are left out.

    Raises:
        MaterialError: the certificate that should have signed one is there by name, and has not.
    """
    chain = pem.ordered_chain(certificate, certificates)
    last = (certificate, *chain)[-1]
    named = [one for one in certificates if one.parsed.subject == last.parsed.issuer and one != last]
    if (
        last.parsed.subject != last.parsed.issuer
        and named
        and not any(pem.signed_by(last, one) for one in named)
    ):
        raise MaterialError(
            f"the certificate of {last.subject} is not signed by the one of {named[0].subject} that is given: "
            "get the issuer's right certificate from the CA"
        )
    return chain
