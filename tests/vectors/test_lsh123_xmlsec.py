"""The vectors of libxmlsec (and in them those of Merlin, Phaos, the W3C's interoperability, NIST).

Every row of the manifest is either done by our primitives, with the outcome that the manifest states,
or it belongs to a class of what the house does not do, and is counted there.
"""

import csv
import warnings
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from lxml import etree

from tests.vectors.material import VECTORS
from tests.vectors.walker import (
    DS,
    DS11,
    XENC,
    NotOurs,
    cipher_octets,
    octets_of,
    offered_keys,
    parse,
    plaintext_of,
    verify,
)
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason

HOME = VECTORS / "lsh123+xmlsec"
AES_KEYS = "{http://www.aleksey.com/xmlsec/2002}"

TRUST = {
    "enveloping-expired-cert.xml": "the certificate has expired",
    "enveloping-sha256-rsa-sha256.xml": "no root is given",
    "enveloped-x509-missing-cert.xml": "the path is incomplete, or revoked",
    "enveloped-x509-same-subj-cert.xml": "another certificate of that name is trusted",
    "enveloped-x509-subjectname.xml": "the certificate is revoked",
    "enveloped-sha1-rsa-sha1.xml": "the certificate cannot be verified",
    "signature-x509-crt-crl.xml": "the certificate is revoked",
}
"""Signatures that hold and must fail for trust alone, which is keyring.trust's matter."""

STRICTER = {
    "enveloping-sha256-ecdsa-sha256_padded.xml": "r and s with leading zeros",
    "enveloped-sha256-ecdsa-sha256-with-asn1.xml": "r and s in DER (upstream: by a hack option)",
    "enveloping-sha512-ecdsa-sha512-with-asn1.xml": "r and s in DER (upstream: by a hack option)",
}
"""Rows that pass upstream and that we refuse: XML Signature 1.1 section 6.4.3 fixes the length."""


@dataclass(frozen=True)
class Row:
    number: int
    kind: str
    passes: bool
    file: str
    options: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.file.rpartition("/")[2]

    @property
    def path(self) -> Path:
        return HOME / self.file

    def option(self, *names: str) -> Iterator[tuple[str, str]]:
        """Values of options, with the key name that may follow a colon."""
        for option, value in zip(self.options, self.options[1:], strict=False):
            kind, _, name = option.partition(":")
            if kind in names:
                yield name, value


@cache
def rows() -> tuple[Row, ...]:
    manifest = HOME / "manifest.tsv"
    if not manifest.exists():
        return ()
    with manifest.open(encoding="utf-8", newline="") as lines:
        found = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    return tuple(
        Row(number, kind, expected == "PASS", file, tuple(options.split()))
        for number, (kind, expected, file, _, options) in enumerate(found)
    )


def parameters(kind):
    found = [pytest.param(row, id=f"{row.number}-{row.name}") for row in rows() if row.kind == kind]
    absent = pytest.param(None, id="no-lsh123+xmlsec", marks=pytest.mark.skip(reason="vectors are not here"))
    return found or [absent]


def outcome(row: Row) -> bool | str:
    """True: it holds. False: it does not. A string: the class of what the house does not do."""
    try:
        if row.kind == "DSIG":
            root = parse(row.path.read_bytes())
            signature = next(root.iter(f"{DS}Signature"))
            verify(signature, signature_keys(row, signature))
        else:
            check_decryption(row)
    except NotOurs as reason:
        return str(reason)
    except WSSecurityError:
        return False
    return True


# signatures ----------------------------------------------------------------------------------------


def signature_keys(row: Row, signature: etree._Element) -> Iterator:
    """Everything that might be the key; loaded only when the method is one of ours."""
    for tag in (f"{DS}RetrievalMethod", f"{DS11}KeyInfoReference"):
        if next(signature.iter(tag), None) is not None:
            raise NotOurs("key elsewhere")
    yield from offered_keys(signature)
    for _, value in row.option("--hmackey"):
        yield beside(row, value).read_bytes()
    for _, value in row.option("--pubkey-cert-der", "--pubkey-cert-", "--untrusted-", "--trusted-"):
        if (path := beside(row, value)).exists():
            yield certificate(path).public_key()
    for _, value in row.option("--keys-file"):
        yield from (secret for _, secret in named_secrets(beside(row, value)))


def beside(row: Row, value: str) -> Path:
    """A file of the options: relative to the whole or to the row's folder, its ending left out or not."""
    for folder in (HOME, row.path.parent, HOME / "tests"):
        for ending in ("", "der", "pem", "crt"):
            path = folder / f"{value}{ending}"
            if path.is_file():
                return path
    return HOME / value


def certificate(path: Path) -> x509.Certificate:
    data = path.read_bytes()
    if data.startswith(b"-----") or b"-----BEGIN" in data:
        return x509.load_pem_x509_certificate(data)
    return x509.load_der_x509_certificate(data)


# encryption ----------------------------------------------------------------------------------------


@cache
def named_secrets(path: Path) -> tuple[tuple[str, bytes], ...]:
    """Secret keys of a key file, by name."""
    found = []
    for info in etree.parse(path).getroot().iter(f"{DS}KeyInfo"):
        name = info.findtext(f"{DS}KeyName")
        for kind in ("AES", "DES", "HMAC"):
            values = info.iter(f"{AES_KEYS}{kind}KeyValue")
            found.extend((name, octets_of(value)) for value in values)
    return tuple(found)


@cache
def private_keys(path: Path, password: str) -> tuple[rsa.RSAPrivateKey, ...]:
    with warnings.catch_warnings():  # a serial number of zero
        warnings.simplefilter("ignore")
        key = pkcs12.load_key_and_certificates(path.read_bytes(), password.encode())[0]
    return (key,) if isinstance(key, rsa.RSAPrivateKey) else ()


def check_decryption(row: Row) -> None:
    root = parse(row.path.read_bytes())
    data = next(root.iter(f"{XENC}EncryptedData"))

    def secrets(name: str | None) -> Iterator[bytes]:
        for _, value in row.option("--keys-file"):
            yield from (one for known, one in named_secrets(beside(row, value)) if name in (None, known))
        for _, value in row.option("--aeskey", "--aes-key", "--des-key"):
            yield beside(row, value).read_bytes()

    passwords = [value for _, value in row.option("--pwd")] or [""]
    keys = (
        key for _, value in row.option("--pkcs12") for key in private_keys(beside(row, value), passwords[0])
    )
    compare(row, data, plaintext_of(data, secrets, keys))


def compare(row: Row, data: etree._Element, plaintext: bytes) -> None:
    """Against the file of the expected result: the bytes themselves, or the document with them in place."""
    expected = row.path.with_suffix(".data")
    if not expected.exists():
        assert plaintext
        return
    wanted = expected.read_bytes()
    if plaintext == wanted or (data.get("Type") is None and b64encode(plaintext) == wanted.strip()):
        return
    assert canonical_of(in_place(data, plaintext)) == canonical_of(wanted)


def in_place(data: etree._Element, plaintext: bytes) -> bytes:
    """The document with plaintext where its EncryptedData stood."""
    mark = etree.ProcessingInstruction("here", "x")
    mark.tail = data.tail
    parent = data.getparent()
    if parent is None:
        return plaintext
    parent.replace(data, mark)
    return etree.tostring(parent.getroottree(), encoding="UTF-8").replace(b"<?here x?>", plaintext)


def canonical_of(document: bytes) -> bytes:
    return etree.tostring(parse(document), method="c14n", with_comments=False)


# tests ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", parameters("DSIG"))
def test_signature(row):
    found = outcome(row)
    if isinstance(found, str):
        assert found in NOT_OURS["DSIG"]
    elif row.name in STRICTER:
        assert (row.passes, found) == (True, False)
    elif not row.passes and row.name in TRUST:
        assert found is True
    else:
        assert found is row.passes


@pytest.mark.parametrize("row", parameters("ENC"))
def test_decryption(row):
    found = outcome(row)
    if isinstance(found, str):
        assert found in NOT_OURS["ENC"]
    else:
        assert found is row.passes


NOT_OURS = {
    "DSIG": {
        "HMACOutputLength": 9,
        "a DTD": 2,
        "canonical form": 10,
        "digest method": 2,
        "external reference": 15,
        "key elsewhere": 8,
        "no key that fits": 5,
        "signature method": 96,
        "transform": 3,
    },
    "ENC": {
        "OAEP digest": 11,
        "OAEP mask": 1,
        "OAEPparams": 3,
        "a DTD": 14,
        "encryption method": 13,
        "key agreement or derivation": 21,
        "key wrap": 48,
        "no key that fits": 1,
    },
}
"""Every row that is not done, by the class of what the house does not do."""


@pytest.mark.skipif(not rows(), reason="vectors are not here: lsh123+xmlsec")
def test_how_many():
    """97 signatures and 238 decryptions are done; each other row is counted in its class."""
    for kind, done in (("DSIG", 97), ("ENC", 238)):
        found = [outcome(row) for row in rows() if row.kind == kind]
        assert Counter(one for one in found if isinstance(one, str)) == NOT_OURS[kind]
        assert sum(isinstance(one, bool) for one in found) == done


@pytest.mark.skipif(not rows(), reason="vectors are not here: lsh123+xmlsec")
def test_nist_gcm_without_data_fails():
    """NIST's tampered GCM vectors, which have no expected plaintext: each must fail, and by the tag."""
    failing = [row for row in rows() if "nist-aesgcm" in row.file and not row.passes]
    holding = [row for row in rows() if "nist-aesgcm" in row.file and row.passes]
    assert len(failing) == 86
    assert len(holding) == 94
    for row in failing:
        assert not row.path.with_suffix(".data").exists()
        with pytest.raises(WSSecurityError) as caught:
            check_decryption(row)
        assert caught.value.reason is Reason.DECRYPTION
        assert len(cipher_octets(parse(row.path.read_bytes()))) >= 28
