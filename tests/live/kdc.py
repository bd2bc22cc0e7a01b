"""A throwaway MIT KDC for tests: on loopback, on a free port, in a folder of the test's own, ended with the test."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

import pytest

AES256, AES128 = "aes256-cts-hmac-sha1-96", "aes128-cts-hmac-sha1-96"
AES256_SHA2, AES128_SHA2 = "aes256-cts-hmac-sha384-192", "aes128-cts-hmac-sha256-128"
RC4 = "arcfour-hmac"

_SBIN = "/usr/sbin:/sbin"  # where Debian has the KDC's programs, and a user's PATH may not look
_START_SECONDS = 10.0
_TRIES = 5

_KRB5_CONF = """\
[libdefaults]
    default_realm = {realm}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    udp_preference_limit = 1
    allow_weak_crypto = true
    allow_rc4 = true
    permitted_enctypes = {enctypes}
    {more}
[realms]
    {realm} = {{
        kdc = 127.0.0.1:{port}
    }}
[domain_realm]
    localhost = {realm}
"""

_KDC_CONF = """\
[kdcdefaults]
    kdc_listen = 127.0.0.1:{port}
    kdc_tcp_listen = 127.0.0.1:{port}
[realms]
    {realm} = {{
        database_name = {folder}/principal
        key_stash_file = {folder}/stash
        acl_file = {folder}/acl
        max_life = 1d
        supported_enctypes = {salted}
    }}
[logging]
    kdc = FILE:{folder}/kdc.log
    admin_server = FILE:{folder}/kadmin.log
"""


class KdcError(Exception):
    """The programs are there but did not do what they were asked."""


class Kdc:
    """One running ``krb5kdc``; use it as a context manager. Ends only the process that it started.

    libkrb5 is told where to look by the environment, which is one for the whole process: put
    :attr:`environment` there (``monkeypatch.setenv``) or into a child's.

    Args:
        folder: empty, the test's own; everything lies in it.
        realm: its name.
        enctypes: kinds of keys that principals get, and clients may ask for.
        more: further lines of ``[libdefaults]``.
    """

    def __init__(
        self,
        folder: Path,
        *,
        realm: str = "TEST.LOCAL",
        enctypes: tuple[str, ...] = (AES256, AES128, AES256_SHA2, AES128_SHA2, RC4),
        more: str = "",
    ) -> None:
        self.folder = folder.absolute()
        self.realm = realm
        self.port = 0
        self._enctypes = enctypes
        self._more = more
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def available() -> str | None:
        """Why no KDC can run on this machine, or None when one can."""
        path = f"{os.environ.get('PATH', '')}:{_SBIN}"
        programs = ("krb5kdc", "kdb5_util", "kadmin.local")
        missing = [program for program in programs if shutil.which(program, path=path) is None]
        try:
            import gssapi  # noqa: F401
        except ImportError:
            missing.append("gssapi (the extra wsprovider[kerberos])")
        return f"not installed: {', '.join(missing)}" if missing else None

    @property
    def krb5_conf(self) -> Path:
        """What clients and services read."""
        return self.folder / "krb5.conf"

    @property
    def environment(self) -> dict[str, str]:
        """What libkrb5 looks at in the environment, so that nothing of the machine's own counts."""
        return {
            "KRB5_CONFIG": str(self.krb5_conf),
            "KRB5_KDC_PROFILE": str(self.folder / "kdc.conf"),
            "KRB5CCNAME": f"FILE:{self.folder}/ccache",
            "KRB5_KTNAME": f"FILE:{self.folder}/none.keytab",
            "KRB5_CLIENT_KTNAME": f"FILE:{self.folder}/none.keytab",
        }

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        for _ in range(_TRIES):
            self.port = _free_port()
            self._write()
            if not (self.folder / "principal").exists():
                self._run("kdb5_util", "create", "-s", "-r", self.realm, "-P", "the master's")
            if self._start():
                return self
        raise KdcError(f"krb5kdc did not start in {_TRIES} tries: {self._log()}")

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process, and wait for its end."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def full(self, name: str) -> str:
        """The principal's name with the realm."""
        return name if "@" in name else f"{name}@{self.realm}"

    def add(
        self, name: str, password: str | None = None, *, enctypes: tuple[str, ...] = (), life: str = "1d"
    ) -> str:
        """Add a principal with that password, or with random keys; its full name.

        Args:
            enctypes: kinds of its keys; the KDC's, when none is named.
            life: longest life of tickets for it, as ``kadmin`` reads it.
        """
        words = ["addprinc", "-maxlife", f'"{life}"', *_kinds(enctypes)]
        words += ["-randkey"] if password is None else ["-pw", f'"{password}"']
        self._admin(*words, self.full(name))
        return self.full(name)

    def change_key(self, name: str, *, keep_old: bool = True, enctypes: tuple[str, ...] = ()) -> None:
        """Give a principal new random keys with the next version number."""
        keep = ["-keepold"] if keep_old else []
        self._admin("cpw", *_kinds(enctypes), "-randkey", *keep, self.full(name))

    def keytab(self, *names: str, file: str = "service.keytab") -> Path:
        """Put all keys of all versions of these principals into a new file."""
        target = self.folder / file
        fresh = self.folder / f"{file}.new"
        fresh.unlink(missing_ok=True)
        for name in names:
            self._admin("ktadd", "-k", str(fresh), "-norandkey", self.full(name))
        fresh.replace(target)
        return target

    def _admin(self, *words: str) -> None:
        said = self._run("kadmin.local", "-r", self.realm, "-q", " ".join(words))
        if any(
            sign in said for sign in ("add_principal: ", "change_password: ", "ktadd: ", "kadmin.local: ")
        ):
            raise KdcError(said)

    def _run(self, program: str, *words: str) -> str:
        done = subprocess.run(
            [program, *words],
            env=self._child(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )
        said = done.stdout.decode(errors="replace")
        if done.returncode:
            raise KdcError(f"{program}: {said}")
        return said

    def _child(self) -> dict[str, str]:
        path = f"{os.environ.get('PATH', '')}:{_SBIN}"
        return {**os.environ, **self.environment, "PATH": path, "LC_ALL": "C"}

    def _write(self) -> None:
        kinds = {"realm": self.realm, "port": self.port, "folder": self.folder, "more": self._more}
        enctypes = " ".join(self._enctypes)
        self.krb5_conf.write_text(_KRB5_CONF.format(**kinds, enctypes=enctypes))
        salted = " ".join(f"{enctype}:normal" for enctype in self._enctypes)
        (self.folder / "kdc.conf").write_text(_KDC_CONF.format(**kinds, salted=salted))

    def _start(self) -> bool:
        child = self._child()
        program = shutil.which("krb5kdc", path=child["PATH"]) or "krb5kdc"
        self._process = subprocess.Popen(
            [program, "-n", "-r", self.realm, "-P", str(self.folder / "kdc.pid")],
            env=child,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if _answers(self.port):
                return True
            time.sleep(0.01)
        self.stop()
        return False

    def _log(self) -> str:
        try:
            return (self.folder / "kdc.log").read_text()[-1000:]
        except OSError:
            return "no log"


def require_kdc() -> None:
    """Skip the test by name where no KDC can run (``REQUIRE_LIVE`` makes every skip a failure)."""
    reason = Kdc.available()
    if reason is not None:
        pytest.skip(reason, allow_module_level=True)


def _kinds(enctypes: tuple[str, ...]) -> list[str]:
    return ["-e", '"' + ",".join(f"{enctype}:normal" for enctype in enctypes) + '"'] if enctypes else []


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
