"""Mutators of values: ids and references, algorithms, Base64 and what is inside, numbers, times, names."""

import base64
import binascii

from lxml import etree

from tests.fuzz.draft import Draft, Nothing, pick, table
from tests.fuzz.samples import LIMITS
from tests.simulator.bend import NS, WSU_ID
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns
from wsprovider.words import uris

ALGORITHMS = (
    *tuple(sorted(value for name, value in vars(alg).items() if name.isupper() and isinstance(value, str))),
    "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
    "http://www.w3.org/2001/04/xmldsig-more#hmac-md5",
    "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
    "http://www.w3.org/TR/1999/REC-xslt-19991116",
    "http://www.w3.org/TR/1999/REC-xpath-19991116",
    "http://www.w3.org/2002/06/xmldsig-filter2",
    "http://www.w3.org/2000/09/xmldsig#base64",
    "urn:none",
    "",
)
TYPES = (
    *tuple(sorted(value for name, value in vars(uris).items() if name.isupper() and isinstance(value, str))),
    "urn:none",
    "",
)
TIMES = (
    "2026-06-01T12:00:00Z", "2026-06-01T12:00:00.000Z", "2026-06-01T14:00:00+02:00", "2026-06-01T12:00:00",
    "2026-06-01T12:04:59Z", "2026-06-01T11:55:00Z", "2036-06-01T12:00:00Z", "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z", "-0001-01-01T00:00:00Z", "12026-06-01T12:00:00Z", "2026-02-30T12:00:00Z",
    "2026-06-01T24:00:00Z", "2026-06-01T12:00:60Z", "2026-06-01T12:00:00.9999999999999999Z", "2026-06-01",
    " 2026-06-01T12:00:00Z ", "2026-06-01T12:00:00z", "\u0662026-06-01T12:00:00Z", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
)  # fmt: skip
NUMBERS = (
    "0", "1", "-1", "8", "16", "31", "33", "80", "255", "256", "65536", "2147483648", "4294967296",
    "18446744073709551616", "-0", "+1", "1e3", "0x10", "1.0", "NaN", "INF", " 1", "\u0661", "9" * 5_000, "",
)  # fmt: skip
TEXTS = (
    "", " ", "forged", "alice", "bob", "client-2", "a" * 70_000, "%61lice", "Alice",
    "al\u0131ce", "\u202ealice", "#x", "..", "http://x/\n", "CN=client,O=Tests", "\U0001f511", "AAAA", "====",
    "true", "urn:uuid:genuine", "\ufffd", "{urn:x}y", "e:echo",
)  # fmt: skip
ID_NAMES = (
    "Id", WSU_ID, "ID", "id", "xml:id", "AssertionID", f"{{{ns.XML}}}id", "{urn:x}Id", f"{{{ns.WSU}}}ID",
)  # fmt: skip
ATTRIBUTES = (
    f"{{{ns.SOAP11}}}mustUnderstand", f"{{{ns.SOAP12}}}mustUnderstand", f"{{{ns.SOAP11}}}actor",
    f"{{{ns.SOAP12}}}role", f"{{{ns.SOAP11}}}encodingStyle", f"{{{ns.SOAP12}}}relay", f"{{{ns.XSI}}}type",
    f"{{{ns.XSI}}}nil", f"{{{ns.XML}}}base", f"{{{ns.XML}}}space", f"{{{ns.XML}}}lang", "href", "URI", "Type",
    "Algorithm", "EncodingType", "ValueType", "Encoding", "MimeType", "Target", "Recipient", "extra", "{urn:x}extra",
    f"{{{ns.WSSE11}}}TokenType", f"{{{ns.WSC_200512}}}Nonce", "Usage", "code",
)  # fmt: skip
VALUES = (
    "", "0", "1", "2", "true", "false", "urn:none", uris.ACTOR_NEXT, uris.ROLE_NEXT, uris.ROLE_ULTIMATE, "e:order",
    "x:y", "preserve", "#", "#xpointer(/)", "#xpointer(id('x'))", "cid:x", "file:///etc/hostname", "a b", "\t", "AAAA",
)  # fmt: skip


def _attributes(draft: Draft, *names: str) -> list[tuple[etree._Element, str]]:
    """Every attribute of those local names; all of them without a name."""
    return [
        (one, str(name))
        for one in draft.root.iter(etree.Element)
        for name in one.attrib
        if not names or etree.QName(name).localname in names
    ]


def _texts(draft: Draft) -> list[etree._Element]:
    return [one for one in draft.root.iter(etree.Element) if not len(one) and (one.text or "").strip()]


def _binary(draft: Draft) -> list[tuple[etree._Element, bytes]]:
    """Every element that holds Base64 of eight octets or more."""
    found = []
    for one in _texts(draft):
        try:
            octets = base64.b64decode(one.text or "", validate=True)
        except (binascii.Error, ValueError):
            continue
        if len(octets) >= 8:
            found.append((one, octets))
    return found


def _set(one: etree._Element, octets: bytes) -> None:
    one.text = base64.b64encode(octets).decode("ascii")


# ids and references ------------------------------------------------------------------------------


def same_id(draft: Draft, where: int, other: int, how: int) -> None:
    """An element gets the id that another one has, under any of the names that ids have."""
    owner, name = pick(_attributes(draft, "Id", "ID", "id"), where)
    target = draft.element(other)
    if target is owner:
        raise Nothing
    chosen = pick(ID_NAMES, how)
    target.set("id" if chosen == "xml:id" else chosen, owner.get(name, ""))


def take_id(draft: Draft, where: int, other: int, how: int) -> None:
    """An id goes over to another element."""
    owner, name = pick(_attributes(draft, "Id", "ID", "id"), where)
    value = owner.get(name, "")
    del owner.attrib[name]
    draft.element(other).set(name, value)


def spell_id(draft: Draft, where: int, other: int, how: int) -> None:
    """The id that a reference names, spelled almost so."""
    one, name = pick(_attributes(draft, "URI", "Id"), where)
    value = one.get(name, "")
    spellings = (
        value.upper(),
        f" {value}",
        f"{value} ",
        value.replace("-", "%2D"),
        f"{value}\u0301",
        value[:-1],
    )
    one.set(name, pick(spellings, how))


def rewire(draft: Draft, where: int, other: int, how: int) -> None:
    """A reference names another element."""
    one, name = pick(_attributes(draft, "URI"), where)
    owner, identifier = pick(_attributes(draft, "Id"), other)
    one.set(name, f"#{owner.get(identifier)}")


def uri(draft: Draft, where: int, other: int, how: int) -> None:
    one, name = pick(_attributes(draft, "URI"), where)
    one.set(name, pick(VALUES, other))


# attributes and texts ------------------------------------------------------------------------------


def algorithm(draft: Draft, where: int, other: int, how: int) -> None:
    one, name = pick(_attributes(draft, "Algorithm"), where)
    one.set(name, pick(ALGORITHMS, other))


def algorithm_everywhere(draft: Draft, where: int, other: int, how: int) -> None:
    """One method for another, wherever it is named."""
    one, name = pick(_attributes(draft, "Algorithm"), where)
    old = one.get(name)
    for each in draft.root.iter(etree.Element):
        if each.get("Algorithm") == old:
            each.set("Algorithm", pick(ALGORITHMS, other))


def type_(draft: Draft, where: int, other: int, how: int) -> None:
    one, name = pick(_attributes(draft, "Type", "ValueType", "EncodingType", "TokenType"), where)
    one.set(name, pick(TYPES, other))


def attribute(draft: Draft, where: int, other: int, how: int) -> None:
    draft.element(where).set(pick(ATTRIBUTES, other), pick(VALUES, how))


def drop_attribute(draft: Draft, where: int, other: int, how: int) -> None:
    one, name = pick(_attributes(draft), where)
    del one.attrib[name]


def lend_attribute(draft: Draft, where: int, other: int, how: int) -> None:
    """Any attribute of the message on any other element."""
    one, name = pick(_attributes(draft), where)
    draft.element(other).set(name, one.get(name, ""))


def text(draft: Draft, where: int, other: int, how: int) -> None:
    pick(_texts(draft), where).text = pick(TEXTS, other)


def time(draft: Draft, where: int, other: int, how: int) -> None:
    names = {"Created", "Expires", "due"}
    found = [one for one in _texts(draft) if how % 8 == 0 or etree.QName(one).localname in names]
    pick(found, where).text = pick(TIMES, other)


def number(draft: Draft, where: int, other: int, how: int) -> None:
    pick(_texts(draft), where).text = pick(NUMBERS, other)


def spell_text(draft: Draft, where: int, other: int, how: int) -> None:
    """White space and characters that look the same in a text."""
    found = pick(_texts(draft), where)
    value = found.text or ""
    at = other % (len(value) + 1)
    found.text = (
        value[:at]
        + pick((" ", "\n", "\r\n", "\t", "\u200b", "\u00ad", "=", "A", "-", "_", ":"), how)
        + value[at:]
    )


def lend_text(draft: Draft, where: int, other: int, how: int) -> None:
    pick(_texts(draft), where).text = pick(_texts(draft), other).text


# octets in Base64 --------------------------------------------------------------------------------------


def flip(draft: Draft, where: int, other: int, how: int) -> None:
    one, octets = pick(_binary(draft), where)
    at = other % len(octets)
    _set(one, octets[:at] + bytes([octets[at] ^ (1 << how % 8)]) + octets[at + 1 :])


def resize(draft: Draft, where: int, other: int, how: int) -> None:
    """Shorter, longer, empty, of many more octets; what is beyond the largest message does not grow on."""
    one, octets = pick(_binary(draft), where)
    if len(octets) > LIMITS.message_bytes:
        raise Nothing
    at = other % (len(octets) + 1)
    _set(
        one, pick((octets[:at], octets + octets[:at], b"", octets[at:], octets + bytes(at), octets * 20), how)
    )


def fill(draft: Draft, where: int, other: int, how: int) -> None:
    """Blocks of one value in the place of others."""
    one, octets = pick(_binary(draft), where)
    at = other % len(octets)
    filled = bytes([pick((0, 255, 1, 127, 128), how)]) * min(16, len(octets) - at)
    _set(one, octets[:at] + filled + octets[at + len(filled) :])


def blocks(draft: Draft, where: int, other: int, how: int) -> None:
    """Blocks of a cipher text change places, come twice or go."""
    one, octets = pick(_binary(draft), where)
    parts = [octets[at : at + 16] for at in range(0, len(octets), 16)]
    first, second = other % len(parts), how % len(parts)
    if how & 64:
        parts.insert(first, parts[second])
    elif how & 128:
        del parts[first]
    else:
        parts[first], parts[second] = parts[second], parts[first]
    _set(one, b"".join(parts))


def spell_base64(draft: Draft, where: int, other: int, how: int) -> None:
    """Other characters for the same octets, or nearly: padding, the last unused bits, white space."""
    one, octets = pick(_binary(draft), where)
    value = one.text or ""
    spellings = (value.rstrip("="), value + "=", value.replace("+", "-"), "\n".join((value[:64], value[64:])),
                 value[:-1] + "B", " " + value, octets.hex(), value + "\u00a0", value[:8] + "!" + value[8:])  # fmt: skip
    one.text = pick(spellings, how)


def lend_octets(draft: Draft, where: int, other: int, how: int) -> None:
    """The value of one field in another one: a nonce as a digest, a key as a certificate."""
    one, _ = pick(_binary(draft), where)
    _, octets = pick(_binary(draft), other)
    _set(one, octets)


def der(draft: Draft, where: int, other: int, how: int) -> None:
    """One value inside of a certificate, a ticket or any other DER: its tag, its length or its contents."""
    one, octets = pick([pair for pair in _binary(draft) if pair[1][0] in {0x30, 0x60, 0x6E}], where)
    start, header, length = pick(_values(octets, 0, len(octets)), other)
    begin, end = start + header, start + header + length
    changed = (
        bytes([octets[start] ^ 0x1F]) + octets[start + 1 : end],
        octets[start : start + 1] + b"\x84\xff\xff\xff\xff" + octets[begin:end],
        octets[start : start + 1] + b"\x80" + octets[begin:end] + b"\0\0",
        octets[start : start + 1] + b"\0",
        octets[start:end] * 2,
        b"",
        octets[start:begin] + bytes(length),
        octets[start:begin] + octets[begin:end][::-1],
        octets[start:begin] + b"\xff" * length,
        octets[start : start + 1] + b"\x82\x00" + bytes([min(length, 255)]) + octets[begin:end],
    )
    _set(one, octets[:start] + pick(changed, how) + octets[end:])


def _values(octets: bytes, at: int, end: int) -> list[tuple[int, int, int]]:
    """Where each value of some DER starts, how long its header is and how long it is."""
    found = []
    while at + 2 <= end:
        header, length = 2, octets[at + 1]
        if length & 0x80:
            header, size = 2 + (length & 0x7F), length & 0x7F
            length = int.from_bytes(octets[at + 2 : at + 2 + size])
        if at + header + length > end:
            break
        found.append((at, header, length))
        if octets[at] & 0x20:
            found += _values(octets, at + header, at + header + length)
        at += header + length
    return found


def raw_ticket(draft: Draft, where: int, other: int, how: int) -> None:
    """An AP-REQ without GSS-API's wrapping, called so or not."""
    found = [pair for pair in _binary(draft) if pair[1][0] == 0x60]
    one, octets = pick(found, where)
    _set(one, octets[octets.index(b"\x01\x00\x6e") + 2 :])
    for each, name in _attributes(draft, "ValueType"):
        if how & 1 and each.get(name) == uris.KERBEROS_GSS_AP_REQ:
            each.set(name, pick(uris.KERBEROS_AP_REQS, other))


def key_value(draft: Draft, where: int, other: int, how: int) -> None:
    """A key named or brought in another way."""
    found = pick(list(draft.root.iter(f"{{{ns.DS}}}KeyInfo")), where)
    ways = (
        f"<ds:KeyName xmlns:ds='{ns.DS}'>client</ds:KeyName>",
        (
            f"<ds:KeyValue xmlns:ds='{ns.DS}'><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent>"
            "</ds:RSAKeyValue></ds:KeyValue>"
        ),
        (
            f"<w:SecurityTokenReference xmlns:w='{NS['wsse']}'><w:KeyIdentifier ValueType='{pick(TYPES, other)}'>"
            "AAAAAAAAAAAAAAAAAAAAAAAAAAA=</w:KeyIdentifier></w:SecurityTokenReference>"
        ),
        (
            f"<w:SecurityTokenReference xmlns:w='{NS['wsse']}'><w:Reference URI='urn:x' ValueType='{pick(TYPES, other)}'/>"
            "</w:SecurityTokenReference>"
        ),
        (
            f"<w:SecurityTokenReference xmlns:w='{NS['wsse']}'><ds:X509Data xmlns:ds='{ns.DS}'><ds:X509IssuerSerial>"
            "<ds:X509IssuerName>CN=Test CA</ds:X509IssuerName><ds:X509SerialNumber>-1</ds:X509SerialNumber>"
            "</ds:X509IssuerSerial></ds:X509Data></w:SecurityTokenReference>"
        ),
        f"<w:SecurityTokenReference xmlns:w='{NS['wsse']}'><w:Embedded/></w:SecurityTokenReference>",
    )
    if how & 64:
        del found[:]
    found.append(etree.fromstring(pick(ways, how)))


VALUE_MUTATORS = table(
    same_id, take_id, spell_id, rewire, uri, algorithm, algorithm_everywhere, type_, attribute, drop_attribute,
    lend_attribute, text, time, number, spell_text, lend_text, flip, resize, fill, blocks, spell_base64, lend_octets,
    der, raw_ticket, key_value,
)  # fmt: skip
