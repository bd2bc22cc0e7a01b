"""The way to MIT Kerberos: python-gssapi as an extra, the process' ``krb5.conf``, and what errors mean."""

import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from wsprovider.words.errors import BackendError, ConfigurationError, Problem, WSSecurityError
from wsprovider.words.reasons import Reason

MISSING: Final = (
    'gssapi is not installed, or finds no library: install libgssapi-krb5-2, and the extra: pip install "wsprovider[kerberos]" '
    "(building it takes Debian's packages libkrb5-dev, gcc and python3-dev)"
)

_CONFIG_VARIABLE: Final = "KRB5_CONFIG"

_TABLE: Final = -1765328384  # krb5.h: KRB5KDC_ERR_NONE; RFC 4120's numbers (section 7.5.9) count from here
_MINORS: Final = MappingProxyType(
    {
        _TABLE + 14: Reason.TICKET_ENCTYPE,  # KDC_ERR_ETYPE_NOSUPP
        _TABLE + 32: Reason.TICKET_EXPIRED,  # KRB_AP_ERR_TKT_EXPIRED
        _TABLE + 33: Reason.TICKET_EXPIRED,  # KRB_AP_ERR_TKT_NYV
        _TABLE + 35: Reason.TICKET_SERVICE,  # KRB_AP_ERR_NOT_US
        _TABLE + 37: Reason.TICKET_SKEW,  # KRB_AP_ERR_SKEW
        _TABLE + 39: Reason.KERBEROS_TOKEN,  # KRB_AP_ERR_BADVERSION
        _TABLE + 40: Reason.KERBEROS_TOKEN,  # KRB_AP_ERR_MSG_TYPE
        _TABLE + 45: Reason.TICKET_SERVICE,  # KRB_AP_ERR_NOKEY
        -1765328240: Reason.TICKET_SERVICE,  # KRB5KRB_AP_WRONG_PRINC
        -1765328234: Reason.TICKET_ENCTYPE,  # KRB5_PROG_ETYPE_NOSUPP
        -1765328196: Reason.TICKET_ENCTYPE,  # KRB5_BAD_ENCTYPE
        -1765328154: Reason.TICKET_SERVICE,  # KRB5_KT_KVNONOTFOUND
        -1765328148: Reason.TICKET_ENCTYPE,  # KRB5_NOPERM_ETYPE
    }
)
_UNOPENED: Final = frozenset({_TABLE + 31, _TABLE + 41, _TABLE + 44})
"""KRB_AP_ERR_BAD_INTEGRITY, _MODIFIED and _BADKEYVER: no key of ours opens it, whoever is to blame."""

_NO_KEYTAB: Final = frozenset(
    {
        -1765328205,  # KRB5_KT_BADNAME
        -1765328204,  # KRB5_KT_UNKNOWN_TYPE
        -1765328203,  # KRB5_KT_NOTFOUND: nonexistent or empty
        -1765328200,  # KRB5_KT_IOERR
        -1765328149,  # KRB5_KT_FORMAT
    }
)

_WORDS: Final = MappingProxyType(
    {
        Reason.KERBEROS_TOKEN: "another version or message of Kerberos",
        Reason.TICKET_ENCTYPE: "libkrb5 does not permit one of its encryption types (krb5.conf: permitted_enctypes)",
        Reason.TICKET_EXPIRED: "expired, or not yet valid",
        Reason.TICKET_SERVICE: "no key of ours is that of the ticket's service",
        Reason.TICKET_SKEW: "the client's clock differs by more than clockskew (krb5.conf, 300 s unless told)",
    }
)


def gss_library() -> Any:
    """``gssapi.raw``, imported when it is needed first.

    Raises:
        ConfigurationError: the extra, or a library of Debian's, is missing.
    """
    try:
        import gssapi.raw  # noqa: PLC0415 - an extra: only who names Kerberos needs it
    except ImportError:
        raise ConfigurationError([Problem("kerberos", MISSING)]) from None
    return gssapi.raw


class _Chosen:
    """Which ``krb5.conf`` this process was told to use."""

    path: Path | None = None


def use_krb5_conf(path: Path, environ: MutableMapping[str, str]) -> None:
    """Have libkrb5 read this file instead of ``/etc/krb5.conf``, in the whole process and its children.

    libkrb5 knows one place only, the environment variable ``KRB5_CONFIG``; so two services of one process
    cannot have two. Call it before anything of Kerberos is used, and before other threads run.

    Args:
        path: the file.
        environ: the environment of the process, ``os.environ`` itself: what is put there, libkrb5 sees.

    Raises:
        ConfigurationError: the file cannot be read, or the process uses another one already.
    """
    path = path.absolute()
    problems = []
    if _Chosen.path is not None and _Chosen.path != path:
        what = f"the whole process reads one krb5.conf, and {_Chosen.path} was named before {path}"
        problems.append(Problem("kerberos.krb5_conf", what))
    if ":" in str(path):  # separates files in KRB5_CONFIG
        problems.append(Problem("kerberos.krb5_conf", f"{path}: a colon cannot be in this path"))
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        problems.append(Problem("kerberos.krb5_conf", f"{path} cannot be read: {error.strerror}"))
    if problems:
        raise ConfigurationError(problems)
    _Chosen.path = path
    environ[_CONFIG_VARIABLE] = str(path)


def minor_of(error: Any) -> int:
    """What libkrb5 says of a ``GSSError``, as ``krb5.h`` writes it."""
    minor = int(error.min_code)
    return minor - (1 << 32) if minor >= 1 << 31 else minor


def refusal(error: Any, *, version_known: bool) -> WSSecurityError | BackendError:
    """What a ``GSSError`` of the acceptor means; its own text is left out, for it quotes the ticket.

    Args:
        error: the error.
        version_known: whether the keytab has the key version that the ticket names, if it names one.
    """
    minor = minor_of(error)
    if minor in _NO_KEYTAB:
        return BackendError(f"Kerberos: the service's keys cannot be read (libkrb5's error {minor})")
    if minor in _UNOPENED:
        if version_known:
            what = "altered, or made with another key than ours, or not permitted by krb5.conf (permitted_enctypes)"
            return WSSecurityError(Reason.TICKET_INVALID, what)
        what = "the service's key of the ticket's version is not in the keytab"
        return WSSecurityError(Reason.TICKET_SERVICE, what)
    reason = _MINORS.get(minor, Reason.TICKET_INVALID)
    return WSSecurityError(reason, _WORDS.get(reason, f"libkrb5 refuses it (error {minor})"))


def store(**locations: str) -> Mapping[bytes, bytes]:
    """A credential store as ``gss_acquire_cred_from`` takes it."""
    return {name.encode(): os.fsencode(location) for name, location in locations.items()}
