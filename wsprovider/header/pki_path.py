"""PkiPath: an ASN.1 SEQUENCE OF Certificate, the issuer before its subject (X.509 Token Profile 3.1)."""

from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

_SEQUENCE = 0x30


def read_pki_path(data: bytes, limits: Limits) -> list[bytes]:
    """Split a PkiPath into the DER of its certificates; the last one is the end entity.

    Only the outer framing is read here; each certificate is parsed by whoever uses it.

    Raises:
        WSSecurityError: MALFORMED_TOKEN, PATH_TOO_LONG, CERTIFICATE_TOO_LARGE.
    """
    start, end = _sequence(data, 0, len(data))
    if end != len(data):
        raise WSSecurityError(Reason.MALFORMED_TOKEN, "PkiPath has trailing bytes")
    certificates: list[bytes] = []
    while start < end:
        _, stop = _sequence(data, start, end)
        if len(certificates) >= limits.path_certificates:
            raise WSSecurityError(Reason.PATH_TOO_LONG, f"more than {limits.path_certificates}")
        if stop - start > limits.certificate_bytes:
            raise WSSecurityError(Reason.CERTIFICATE_TOO_LARGE, f"{stop - start} bytes")
        certificates.append(data[start:stop])
        start = stop
    if not certificates:
        raise WSSecurityError(Reason.MALFORMED_TOKEN, "empty PkiPath")
    return certificates


def _sequence(data: bytes, start: int, limit: int) -> tuple[int, int]:
    """Content start and end of the SEQUENCE at ``start`` (X.690, definite length, minimal form)."""
    if start + 2 > limit or data[start] != _SEQUENCE:
        raise WSSecurityError(Reason.MALFORMED_TOKEN, "PkiPath")
    length, content = data[start + 1], start + 2
    if length >= 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 4 or content + octets > limit:
            raise WSSecurityError(Reason.MALFORMED_TOKEN, "PkiPath")
        length = int.from_bytes(data[content : content + octets], "big")
        content += octets
    if content + length > limit:
        raise WSSecurityError(Reason.MALFORMED_TOKEN, "PkiPath")
    return content, content + length
