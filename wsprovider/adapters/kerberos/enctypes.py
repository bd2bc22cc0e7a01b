"""Kerberos' encryption types by name and number (RFC 3961, section 8; RFC 8009; IANA "Kerberos Encryption Type Numbers")."""

from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import Final

from wsprovider.words.errors import ConfigurationError, Problem

NUMBERS: Final = MappingProxyType(
    {
        "aes128-cts-hmac-sha1-96": 17,
        "aes256-cts-hmac-sha1-96": 18,
        "aes128-cts-hmac-sha256-128": 19,
        "aes256-cts-hmac-sha384-192": 20,
        "camellia128-cts-cmac": 25,
        "camellia256-cts-cmac": 26,
        "rc4-hmac": 23,
        "des3-cbc-sha1": 16,
        "des-cbc-crc": 1,
        "des-cbc-md5": 3,
    }
)
"""What may be named. libkrb5 has the last word: MIT 1.18 and later know no single DES any more."""

USUAL: Final = (
    "aes256-cts-hmac-sha1-96",
    "aes128-cts-hmac-sha1-96",
    "aes256-cts-hmac-sha384-192",
    "aes128-cts-hmac-sha256-128",
)
"""Allowed unless told otherwise. RC4 and DES (RFC 8429, RFC 6649) only when named."""

_ALSO: Final = MappingProxyType(
    {
        "aes128-cts": "aes128-cts-hmac-sha1-96",
        "aes256-cts": "aes256-cts-hmac-sha1-96",
        "aes128-sha2": "aes128-cts-hmac-sha256-128",
        "aes256-sha2": "aes256-cts-hmac-sha384-192",
        "arcfour-hmac": "rc4-hmac",
        "arcfour-hmac-md5": "rc4-hmac",
    }
)
_NAMES: Final = MappingProxyType({number: name for name, number in NUMBERS.items()})


def enctype_numbers(names: Sequence[str]) -> frozenset[int]:
    """The numbers of encryption types, by their names in ``krb5.conf``.

    Raises:
        ConfigurationError: nothing is named, or something that is no encryption type.
    """
    unknown = [name for name in names if _ALSO.get(name, name) not in NUMBERS]
    problems = [
        Problem("kerberos.enctypes", f"{name!r} is no encryption type; there are {', '.join(NUMBERS)}")
        for name in unknown
    ]
    if not names:
        problems.append(Problem("kerberos.enctypes", "name at least one, or leave it out"))
    if problems:
        raise ConfigurationError(problems)
    return frozenset(NUMBERS[_ALSO.get(name, name)] for name in names)


def enctype_names(numbers: Iterable[int]) -> str:
    """Encryption types as a sentence shows them."""
    return ", ".join(_NAMES.get(number, str(number)) for number in sorted(numbers))
