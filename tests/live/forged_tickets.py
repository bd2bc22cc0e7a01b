"""Tickets as a KDC would not make them: whoever has a service's key can write any ticket for it.

Every field of the ticket and of its authenticator may be chosen; libkrb5 encrypts. This is how tests come by
clocks that are wrong, tickets of the past, and clients that no library would play.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

USAGE_TICKET, USAGE_AUTHENTICATOR = 2, 11
NT_PRINCIPAL = 1
GSS_CHECKSUM = 0x8003
MUTUAL_REQUIRED = 0x20000000


def der(tag: int, *contents: bytes) -> bytes:
    """An element in DER."""
    body = b"".join(contents)
    size = len(body)
    if size < 0x80:
        return bytes([tag, size]) + body
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 + len(octets)]) + octets + body


def tagged(number: int, *contents: bytes) -> bytes:
    return der(0xA0 + number, *contents)


def integer(value: int) -> bytes:
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def bits(value: int) -> bytes:
    return der(0x03, b"\0", value.to_bytes(4, "big"))


def text(value: str) -> bytes:
    return der(0x1B, value.encode())


def moment(value: datetime) -> bytes:
    return der(0x18, value.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode())


def name(value: str, kind: int = NT_PRINCIPAL) -> bytes:
    strings = der(0x30, *(text(component) for component in value.split("/")))
    return der(0x30, tagged(0, integer(kind)), tagged(1, strings))


def key_of(enctype: int, octets: bytes) -> bytes:
    return der(0x30, tagged(0, integer(enctype)), tagged(1, der(0x04, octets)))


class _Data(ctypes.Structure):
    _fields_ = (("magic", ctypes.c_int32), ("length", ctypes.c_uint), ("data", ctypes.c_void_p))


class _EncData(ctypes.Structure):
    _fields_ = (
        ("magic", ctypes.c_int32),
        ("enctype", ctypes.c_int32),
        ("kvno", ctypes.c_uint),
        ("ciphertext", _Data),
    )


class _KeyBlock(ctypes.Structure):
    _fields_ = (
        ("magic", ctypes.c_int32),
        ("enctype", ctypes.c_int32),
        ("length", ctypes.c_uint),
        ("contents", ctypes.c_void_p),
    )


class Library:
    """The parts of libkrb5 that tests call by themselves."""

    def __init__(self) -> None:
        self._krb5 = ctypes.CDLL("libkrb5.so.3")
        self._context = ctypes.c_void_p()
        self._check(self._krb5.krb5_init_context(ctypes.byref(self._context)))

    def encrypt(self, enctype: int, key: bytes, usage: int, plaintext: bytes) -> bytes:
        """``krb5_c_encrypt``."""
        held = ctypes.create_string_buffer(key, len(key))
        block = _KeyBlock(0, enctype, len(key), ctypes.addressof(held))
        size = ctypes.c_size_t()
        self._check(
            self._krb5.krb5_c_encrypt_length(
                self._context, enctype, ctypes.c_size_t(len(plaintext)), ctypes.byref(size)
            )
        )
        given = ctypes.create_string_buffer(plaintext, len(plaintext))
        room = ctypes.create_string_buffer(size.value)
        output = _EncData(0, enctype, 0, _Data(0, size.value, ctypes.addressof(room)))
        source = _Data(0, len(plaintext), ctypes.addressof(given))
        self._check(
            self._krb5.krb5_c_encrypt(
                self._context, ctypes.byref(block), usage, None, ctypes.byref(source), ctypes.byref(output)
            )
        )
        return room.raw[: output.ciphertext.length]

    def make_request(self, service: str, host: str, cache: str) -> bytes:
        """``krb5_mk_req`` from a credential cache: a raw AP-REQ without sub-key and checksum."""
        found, auth, made = ctypes.c_void_p(), ctypes.c_void_p(), _Data()
        self._check(self._krb5.krb5_cc_resolve(self._context, cache.encode(), ctypes.byref(found)))
        self._check(
            self._krb5.krb5_mk_req(
                self._context,
                ctypes.byref(auth),
                0,
                service.encode(),
                host.encode(),
                None,
                found,
                ctypes.byref(made),
            )
        )
        return ctypes.string_at(made.data, made.length)

    @staticmethod
    def _check(code: int) -> None:
        if code:
            raise OSError(f"libkrb5's error {code}")


@dataclass(frozen=True)
class Forged:
    """What a ticket and its authenticator say; :meth:`token` writes them down.

    Attributes:
        service: in clear, beside the ticket.
        secret: the key that the ticket is encrypted with, and its ``enctype``.
        session: the ticket's own key; ``subkey``: the authenticator's, if any.
        skew: how far the client's clock is ahead.
        checksum: flags in GSS-API's checksum; None for no checksum.
    """

    service: str
    secret: bytes = field(repr=False)
    enctype: int = 18
    realm: str = "TEST.LOCAL"
    kvno: int | None = 1
    client: str = "alice"
    client_realm: str | None = None
    session: tuple[int, bytes] = (18, bytes(range(32)))
    subkey: tuple[int, bytes] | None = None
    flags: int = 0
    options: int = 0
    begins: timedelta = timedelta(0)
    ends: timedelta = timedelta(hours=1)
    skew: timedelta = timedelta(0)
    checksum: int | None = None
    authenticator_client: str | None = None
    more: bytes = b""

    def but(self, **changes: object) -> Forged:
        """The same with changes."""
        return replace(self, **changes)

    def token(self, library: Library, now: datetime) -> bytes:
        """The AP-REQ, raw."""
        begins = now + self.begins
        ticket = der(
            0x63,
            der(
                0x30,
                tagged(0, bits(self.flags)),
                tagged(1, key_of(*self.session)),
                tagged(2, text(self.client_realm or self.realm)),
                tagged(3, name(self.client)),
                tagged(4, der(0x30, tagged(0, integer(1)), tagged(1, der(0x04)))),
                tagged(5, moment(begins)),
                tagged(6, moment(begins)),
                tagged(7, moment(now + self.ends)),
            ),
        )
        authenticator = der(
            0x62,
            der(
                0x30,
                tagged(0, integer(5)),
                tagged(1, text(self.client_realm or self.realm)),
                tagged(2, name(self.authenticator_client or self.client)),
                *self._checksum(),
                tagged(4, integer(0)),
                tagged(5, moment(now + self.skew)),
                *([tagged(6, key_of(*self.subkey))] if self.subkey else []),
            ),
        )
        sealed = library.encrypt(self.enctype, self.secret, USAGE_TICKET, ticket)
        shown = library.encrypt(*self.session, USAGE_AUTHENTICATOR, authenticator)
        return der(
            0x6E,
            der(
                0x30,
                tagged(0, integer(5)),
                tagged(1, integer(14)),
                tagged(2, bits(self.options)),
                tagged(
                    3,
                    der(
                        0x61,
                        der(
                            0x30,
                            tagged(0, integer(5)),
                            tagged(1, text(self.realm)),
                            tagged(2, name(self.service)),
                            tagged(3, self._encrypted(self.enctype, self.kvno, sealed)),
                        ),
                    ),
                ),
                tagged(4, self._encrypted(self.session[0], None, shown)),
                self.more,
            ),
        )

    def _checksum(self) -> list[bytes]:
        if self.checksum is None:
            return []
        octets = (16).to_bytes(4, "little") + bytes(16) + self.checksum.to_bytes(4, "little")
        return [tagged(3, der(0x30, tagged(0, integer(GSS_CHECKSUM)), tagged(1, der(0x04, octets))))]

    @staticmethod
    def _encrypted(enctype: int, kvno: int | None, cipher: bytes) -> bytes:
        version = [] if kvno is None else [tagged(1, integer(kvno))]
        return der(0x30, tagged(0, integer(enctype)), *version, tagged(2, der(0x04, cipher)))
