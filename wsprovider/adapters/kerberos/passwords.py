"""Keys from passwords: libkrb5's own string-to-key (RFC 3962 and RFC 8009 for AES, RFC 4757 for RC4).

GSS-API cannot accept with a password, and python-gssapi does not show the function; so it is called in the
very library that GSS-API uses. Its interface (``krb5_data``, ``krb5_keyblock``) is public and of old.
"""

import ctypes
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from wsprovider.adapters.kerberos.enctypes import enctype_names
from wsprovider.adapters.kerberos.gss import MISSING
from wsprovider.words.errors import ConfigurationError, Problem

_LIBRARY: Final = "libkrb5.so.3"
_WHERE: Final = "kerberos.password"
_LARGEST: Final = 4096


class _Data(ctypes.Structure):
    """``krb5_data``."""

    _fields_ = (("magic", ctypes.c_int32), ("length", ctypes.c_uint), ("data", ctypes.c_char_p))


class _KeyBlock(ctypes.Structure):
    """``krb5_keyblock``."""

    _fields_ = (
        ("magic", ctypes.c_int32),
        ("enctype", ctypes.c_int32),
        ("length", ctypes.c_uint),
        ("contents", ctypes.c_void_p),
    )


@cache
def _library() -> Any:
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        raise ConfigurationError([Problem("kerberos", MISSING)]) from None
    library.krb5_init_context.argtypes = [ctypes.POINTER(ctypes.c_void_p)]
    library.krb5_free_context.argtypes = [ctypes.c_void_p]
    library.krb5_free_context.restype = None
    library.krb5_c_string_to_key.argtypes = [
        ctypes.c_void_p,
        ctypes.c_int32,
        ctypes.POINTER(_Data),
        ctypes.POINTER(_Data),
        ctypes.POINTER(_KeyBlock),
    ]
    library.krb5_free_keyblock_contents.argtypes = [ctypes.c_void_p, ctypes.POINTER(_KeyBlock)]
    library.krb5_free_keyblock_contents.restype = None
    return library


def password_key(password: str, salt: str, enctype: int) -> bytes:
    """The key that a KDC would make of a password.

    Args:
        password: in UTF-8, as KDCs take it.
        salt: see :attr:`wsprovider.adapters.kerberos.principal.Principal.usual_salt`.
        enctype: number of the encryption type; the usual count of rounds is taken.

    Raises:
        ConfigurationError: libkrb5 is not installed, cannot read krb5.conf, or does not know the type.
    """
    library = _library()
    context = ctypes.c_void_p()
    code = library.krb5_init_context(ctypes.byref(context))
    if code:
        raise ConfigurationError([Problem("kerberos.krb5_conf", f"libkrb5 cannot use it (its error {code})")])
    try:
        block = _KeyBlock()
        code = library.krb5_c_string_to_key(
            context, enctype, _data(password), _data(salt), ctypes.byref(block)
        )
        if code:
            what = f"libkrb5 makes no key for {enctype_names([enctype])} (its error {code})"
            raise ConfigurationError([Problem("kerberos.enctypes", what)])
        try:
            return ctypes.string_at(block.contents, block.length)
        finally:
            library.krb5_free_keyblock_contents(context, ctypes.byref(block))
    finally:
        library.krb5_free_context(context)


def named_password(*, variable: str | None, file: Path | None, environ: Mapping[str, str]) -> str:
    """A password from where the operator says: an environment variable, or a file's first line.

    Args:
        variable: the variable's name.
        file: a file that only its owner may use.
        environ: where variables are looked up.

    Raises:
        ConfigurationError: not one of the two is named, or there is no password.
    """
    if (variable is None) == (file is None):
        raise _problem("name either an environment variable or a file that holds it")
    if variable is not None:
        password = environ.get(variable, "")
        if not password:
            raise _problem(f"the environment variable {variable} is not set")
        if any("\ud800" <= character <= "\udfff" for character in password):
            raise _problem(f"the environment variable {variable} is no UTF-8")
        return password
    assert file is not None
    return _first_line(file)


def _first_line(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            content = opened.read(_LARGEST + 1)
    except OSError as error:
        raise _problem(f"{file} cannot be read: {error.strerror}") from None
    if mode & 0o077:
        raise _problem(f"{file} may be used by others than its owner: chmod 600 it")
    lines = content.splitlines()
    if len(content) > _LARGEST or len(lines) != 1 or not lines[0]:
        raise _problem(f"{file} holds the password on its only line")
    try:
        return lines[0].decode()
    except UnicodeDecodeError:
        raise _problem(f"{file} is no UTF-8") from None


def _problem(what: str) -> ConfigurationError:
    return ConfigurationError([Problem(_WHERE, what)])


def _data(text: str) -> Any:
    try:
        octets = text.encode()
    except UnicodeEncodeError:
        raise _problem("a password or salt that UTF-8 cannot say") from None
    return ctypes.byref(_Data(0, len(octets), octets))
