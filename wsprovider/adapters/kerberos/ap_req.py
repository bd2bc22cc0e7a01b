"""The outside of an AP-REQ (RFC 4120, section 5.5.1), read strictly before any library of C sees it.

What is read here stands in clear and nobody has signed it. It serves to refuse early and to say why; only
the ticket's key decides (:mod:`wsprovider.adapters.kerberos.service_keys`). Strict also because libkrb5 is
not: it opens a ticket with any key that fits, whatever service the ticket names, and takes a wrapped token
with other token ids for the beginning of some longer talk, whose context crashes those who look into it.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final

from wsprovider.adapters.kerberos.principal import Principal
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason

LARGEST: Final = 65_536
"""Octets of a token. Active Directory's tickets reach 48,000 where a user is in very many groups."""

_WRAPPED, _RAW, _TICKET = 0x60, 0x6E, 0x61
_MECHANISM: Final = bytes.fromhex("06092a864886f712010202")  # 1.2.840.113554.1.2.2: RFC 4121, section 4.1
_AP_REQ_ID: Final = b"\x01\x00"
_SEQUENCE, _INTEGER, _BITS, _OCTETS, _STRING = 0x30, 0x02, 0x03, 0x04, 0x1B
_VERSION, _AP_REQ_TYPE = 5, 14
_USE_SESSION_KEY, _MUTUAL_REQUIRED = 0x40000000, 0x20000000


@dataclass(frozen=True, slots=True)
class ApReq:
    """An AP-REQ as it looks from outside.

    Attributes:
        wrapped: the token as GSS-API takes it.
        service: whom the ticket says that it is for.
        kvno: the version of that service's key, if the ticket names one.
        enctype: of that service's key.
        authenticator: SHA-256 of the sealed authenticator.
    """

    wrapped: bytes = field(repr=False)
    service: Principal
    kvno: int | None
    enctype: int
    authenticator: bytes


def read_ap_req(token: bytes) -> ApReq:
    """Read a token, raw (``Kerberosv5_AP_REQ``) or wrapped as GSS-API does (``GSS_Kerberosv5_AP_REQ``).

    Raises:
        WSSecurityError: KERBEROS_TOKEN if it is no AP-REQ from its first to its last octet in DER, or is
            larger than :data:`LARGEST`; TICKET_INVALID if it asks for what one leg cannot do.
    """
    if len(token) > LARGEST:
        raise _malformed(f"larger than {LARGEST} octets")
    kind = token[:1]
    if kind == bytes([_WRAPPED]):
        inside = _Der(token).only(_WRAPPED)
        if inside.octets(len(_MECHANISM)) != _MECHANISM:
            raise _malformed("a GSS-API token of another mechanism than Kerberos V5")
        if inside.octets(2) != _AP_REQ_ID:
            raise _malformed("a GSS-API token that is no AP-REQ")
        return _ap_req(inside, token)
    if kind == bytes([_RAW]):
        body = _MECHANISM + _AP_REQ_ID + token
        return _ap_req(_Der(token), bytes([_WRAPPED]) + _length(len(body)) + body)
    raise _malformed("neither an AP-REQ nor a GSS-API token")


class _Der:
    """Elements in DER (X.690), one after the other, in a stretch of octets."""

    __slots__ = ("_at", "_end", "_octets")

    def __init__(self, octets: bytes, at: int = 0, end: int | None = None) -> None:
        self._octets = octets
        self._at = at
        self._end = len(octets) if end is None else end

    @property
    def next(self) -> int | None:
        return self._octets[self._at] if self._at < self._end else None

    def octets(self, size: int) -> bytes:
        if size > self._end - self._at:
            raise _malformed("cut off")
        taken = self._octets[self._at : self._at + size]
        self._at += size
        return taken

    def element(self, tag: int) -> "_Der":
        """The contents of the next element, which has that tag."""
        octets, begin = self._octets, self._at + 2
        if begin > self._end or octets[begin - 2] != tag:
            raise _malformed("not of the form of an AP-REQ")
        size = octets[begin - 1]
        if size > 0x7F:
            long = octets[begin : begin + (size & 0x7F)]
            begin += len(long)
            size = int.from_bytes(long, "big")
            if not 1 <= len(long) <= 3 or size < 0x80 or long[0] == 0:
                raise _malformed("a length that is not in DER")
        if size > self._end - begin:
            raise _malformed("cut off")
        self._at = begin + size
        return _Der(octets, begin, begin + size)

    def only(self, tag: int) -> "_Der":
        """The contents of the one element that there is."""
        found = self.element(tag)
        self.end()
        return found

    def end(self) -> None:
        if self._at != self._end:
            raise _malformed("more octets than belong to it")

    def rest(self) -> bytes:
        return self.octets(self._end - self._at)

    def tagged(self, number: int, tag: int) -> "_Der":
        """The contents of a field ``[number]``."""
        return self.element(0xA0 + number).only(tag)

    def integer(self, number: int) -> int:
        octets = self.tagged(number, _INTEGER).rest()
        if not 1 <= len(octets) <= 5 or (len(octets) > 1 and octets[0] == (0, 0xFF)[octets[1] >> 7]):
            raise _malformed("an integer that is not in DER")
        return int.from_bytes(octets, "big", signed=True)

    def text(self) -> str:
        try:
            return self.rest().decode()
        except UnicodeDecodeError:
            raise _malformed("a name that is no UTF-8") from None


def _ap_req(outside: _Der, wrapped: bytes) -> ApReq:
    fields = outside.only(_RAW).only(_SEQUENCE)
    if (fields.integer(0), fields.integer(1)) != (_VERSION, _AP_REQ_TYPE):
        raise _malformed("no AP-REQ of Kerberos 5")
    options = fields.tagged(2, _BITS).rest()
    if len(options) != 5 or options[0] != 0:
        raise _malformed("options that are not 32 bits")
    _one_leg(int.from_bytes(options[1:], "big"))
    ticket = fields.element(0xA3).only(_TICKET).only(_SEQUENCE)
    if ticket.integer(0) != _VERSION:
        raise _malformed("no ticket of Kerberos 5")
    realm = ticket.tagged(1, _STRING).text()
    service = Principal(_components(ticket.tagged(2, _SEQUENCE)), realm)
    enctype, kvno, _ = _encrypted(ticket.tagged(3, _SEQUENCE))
    ticket.end()
    _, _, sealed = _encrypted(fields.tagged(4, _SEQUENCE))
    fields.end()
    return ApReq(wrapped, service, kvno, enctype, hashlib.sha256(sealed).digest())


def _one_leg(options: int) -> None:
    """Refuse options that need more than one message: our reply has no place for an AP-REP."""
    if options & _MUTUAL_REQUIRED:
        raise WSSecurityError(Reason.TICKET_INVALID, "the client asks for mutual authentication")
    if options & _USE_SESSION_KEY:
        raise WSSecurityError(Reason.TICKET_INVALID, "a ticket from user to user")
    if options:
        raise _malformed("options that RFC 4120 reserves")


def _components(name: _Der) -> tuple[str, ...]:
    name.integer(0)  # the kind of name is a hint (RFC 4120, section 6.2)
    strings = name.tagged(1, _SEQUENCE)
    name.end()
    found = []
    while strings.next is not None:
        found.append(strings.element(_STRING).text())
    return tuple(found)


def _encrypted(data: _Der) -> tuple[int, int | None, bytes]:
    """Encryption type, key version and cipher text of an EncryptedData."""
    enctype = data.integer(0)
    kvno = data.integer(1) if data.next == 0xA1 else None
    cipher = data.tagged(2, _OCTETS).rest()
    data.end()
    return enctype, kvno, cipher


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes([size])
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 + len(octets)]) + octets


def _malformed(what: str) -> WSSecurityError:
    return WSSecurityError(Reason.KERBEROS_TOKEN, what)
