"""Distinguished names as messages and operators spell them (RFC 4514, RFC 2253, RFC 1779).

Stacks disagree on how to write one name: with or without spaces after commas, quoted or escaped,
``E``, ``EMAILADDRESS`` or a dotted number with ``#hex``, most specific attribute first or last. What
comes in here is text of any of those forms, or a parsed name of a certificate; what goes out is
either the exact attributes or a key that compares as RFC 5280, section 7.1 asks (case and runs of
white space do not count, nor does the ASN.1 string type).

A name selects; it proves nothing. Signatures decide.
"""

import unicodedata
from typing import Final

from cryptography import x509

Attribute = tuple[str, str]
"""An attribute: its object identifier in dots and its value."""

ParsedName = tuple[tuple[Attribute, ...], ...]
"""Relative distinguished names in the order written."""

NameKey = tuple[frozenset[Attribute], ...]
"""A name made comparable, most general part first, as certificates encode it."""

_OIDS: Final[dict[str, str]] = {
    "CN": "2.5.4.3",
    "COMMONNAME": "2.5.4.3",
    "SURNAME": "2.5.4.4",
    "SN": "2.5.4.4",
    "SERIALNUMBER": "2.5.4.5",
    "C": "2.5.4.6",
    "L": "2.5.4.7",
    "ST": "2.5.4.8",
    "S": "2.5.4.8",
    "SP": "2.5.4.8",
    "STREET": "2.5.4.9",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
    "T": "2.5.4.12",
    "TITLE": "2.5.4.12",
    "BUSINESSCATEGORY": "2.5.4.15",
    "POSTALCODE": "2.5.4.17",
    "GIVENNAME": "2.5.4.42",
    "GN": "2.5.4.42",
    "G": "2.5.4.42",
    "INITIALS": "2.5.4.43",
    "GENERATION": "2.5.4.44",
    "DNQ": "2.5.4.46",
    "DNQUALIFIER": "2.5.4.46",
    "PSEUDONYM": "2.5.4.65",
    "ORGANIZATIONIDENTIFIER": "2.5.4.97",
    "UID": "0.9.2342.19200300.100.1.1",
    "DC": "0.9.2342.19200300.100.1.25",
    "E": "1.2.840.113549.1.9.1",
    "EMAIL": "1.2.840.113549.1.9.1",
    "EMAILADDRESS": "1.2.840.113549.1.9.1",
}

_STRING_TYPES: Final[dict[int, str]] = {
    0x0C: "utf-8",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}
"""DER tags of the ASN.1 string types and how their octets are read (X.690)."""

_SEPARATORS: Final = ",;+"
_HEX: Final = frozenset("0123456789abcdefABCDEF")


def attribute_oid(name: str) -> str:
    """Return the object identifier of an attribute name, in any spelling in use.

    Raises:
        ValueError: the name is unknown.
    """
    name = name.strip().upper().removeprefix("OID.")
    if name in _OIDS:
        return _OIDS[name]
    parts = name.split(".")
    if len(parts) > 1 and all(part.isascii() and part.isdigit() for part in parts):
        return name
    raise ValueError(f"unknown attribute {name[:40]!r} in a name")


def parse(text: str) -> ParsedName:
    """Read a name from text, leniently in its form and strictly in its structure.

    Raises:
        ValueError: the text is no name.
    """
    name: list[tuple[Attribute, ...]] = []
    rdn: list[Attribute] = []
    at = 0
    while True:
        equals = text.find("=", at)
        if equals < 0:
            raise ValueError("a part of the name has no '='")
        oid = attribute_oid(text[at:equals])
        value, at = _value(text, equals + 1)
        rdn.append((oid, value))
        separator = text[at : at + 1]
        if separator and separator not in _SEPARATORS:
            raise ValueError("text after a quoted value")
        at += 1
        if separator != "+":
            name.append(tuple(rdn))
            rdn = []
        if not separator:
            return tuple(name)


def exact(name: x509.Name) -> ParsedName:
    """The attributes of a certificate's name, in the order of the certificate."""
    return tuple(
        tuple((attribute.oid.dotted_string, _text(attribute.value)) for attribute in rdn) for rdn in name.rdns
    )


def key(name: x509.Name | ParsedName) -> NameKey:
    """Make a name (most general part first) comparable."""
    parsed = exact(name) if isinstance(name, x509.Name) else name
    return tuple(frozenset((oid, _folded(value)) for oid, value in rdn) for rdn in parsed)


def keys_of_text(text: str) -> tuple[NameKey, ...]:
    """The comparable forms of a written name: RFC 4514's order (most specific first), and the other.

    Raises:
        ValueError: the text is no name.
    """
    written = key(parse(text))
    return (written[::-1], written) if len(written) > 1 else (written,)


def _value(text: str, at: int) -> tuple[str, int]:
    while text[at : at + 1] == " ":
        at += 1
    if text[at : at + 1] == '"':
        return _quoted(text, at + 1)
    if text[at : at + 1] == "#":
        return _hexadecimal(text, at + 1)
    octets = bytearray()
    kept = 0  # trailing blanks count only when they were escaped
    while at < len(text) and text[at] not in _SEPARATORS:
        if text[at] == "\\":
            at = _escaped(text, at, octets)
            kept = len(octets)
        else:
            octets += text[at].encode()
            if text[at] != " ":
                kept = len(octets)
            at += 1
    return bytes(octets[:kept]).decode(), at


def _escaped(text: str, at: int, octets: bytearray) -> int:
    pair = text[at + 1 : at + 3]
    if len(pair) == 2 and set(pair) <= _HEX:
        octets.append(int(pair, 16))
        return at + 3
    if not pair:
        raise ValueError("a name ends in a backslash")
    octets += pair[0].encode()
    return at + 2


def _quoted(text: str, at: int) -> tuple[str, int]:
    octets = bytearray()
    while at < len(text):
        if text[at] == "\\":
            at = _escaped(text, at, octets)
        elif text[at] != '"':
            octets += text[at].encode()
            at += 1
        elif text[at + 1 : at + 2] == '"':  # .NET doubles a quote inside quotes
            octets += b'"'
            at += 2
        else:
            at += 1
            while text[at : at + 1] == " ":
                at += 1
            return octets.decode(), at
    raise ValueError("a quoted value has no end")


def _hexadecimal(text: str, at: int) -> tuple[str, int]:
    end = at
    while end < len(text) and text[end] not in _SEPARATORS:
        end += 1
    encoded = bytes.fromhex(text[at:end])
    if len(encoded) < 2:
        raise ValueError("a value in hexadecimal is no DER")
    header = 2 + (encoded[1] & 0x7F if encoded[1] & 0x80 else 0)
    length = int.from_bytes(encoded[2:header], "big") if header > 2 else encoded[1]
    content = encoded[header:]
    if len(content) != length:
        raise ValueError("a value in hexadecimal is no DER")
    charset = _STRING_TYPES.get(encoded[0])
    return (content.decode(charset) if charset else f"#{encoded.hex()}"), end


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else f"#{value.hex()}"


def _folded(value: str) -> str:
    # RFC 4518: compatibility form, case folded, insignificant spaces removed
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())
