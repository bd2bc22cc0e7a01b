"""A real OpenLDAP for tests: on loopback, in a folder of its own, with a CA of its own, ended with the test.

It tells nothing to who does not log in. ``READER`` may read people and groups; ``memberOf`` is kept by the server.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from cryptography import x509

from tests.simulator import pki
from wsprovider.adapters.users.directory import escaped, library
from wsprovider.adapters.users.records import Entry

SUFFIX = "dc=example,dc=org"
READER, READER_PASSWORD = f"cn=reader,{SUFFIX}", "may read"
_ROOT, _ROOT_PASSWORD = f"cn=root,{SUFFIX}", "may do everything"
_START_SECONDS = 10.0
_MODULES = Path("/usr/lib/ldap")
_SCHEMAS = Path("/etc/ldap/schema")

_CONF = """\
include {schemas}/core.schema
include {schemas}/cosine.schema
include {schemas}/nis.schema
include {schemas}/inetorgperson.schema
modulepath {modules}
moduleload back_mdb
moduleload memberof
moduleload argon2
moduleload ppolicy
pidfile {folder}/slapd.pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
database mdb
maxsize 67108864
suffix "{suffix}"
rootdn "{root}"
rootpw "{root_password}"
directory {folder}/db
dbnosync
index objectClass,uid,member eq
overlay memberof
overlay ppolicy
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{reader}" read by * none
"""


def ssha(password: str) -> str:
    """A password as directories keep it."""
    salt = os.urandom(8)
    return "{SSHA}" + base64.b64encode(hashlib.sha1(password.encode() + salt).digest() + salt).decode()


class Slapd:
    """One running ``slapd``; use it as a context manager. Ends only the process that it started."""

    def __init__(self) -> None:
        self._folder = Path()
        self._process: subprocess.Popen[bytes] | None = None
        self._parts = 0
        self.port = self.tls_port = 0

    @staticmethod
    def available() -> str | None:
        """Why none can run on this machine, or None when one can."""
        missing = [name for name in ("slapd", "slapadd") if _program(name) is None]
        return f"not installed: {', '.join(missing)}" if missing else None

    @property
    def url(self) -> str:
        """Where it answers, without TLS at first."""
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        """Where it answers by TLS."""
        return f"ldaps://127.0.0.1:{self.tls_port}"

    @property
    def ca(self) -> Path:
        """The authority of its certificate."""
        return self._folder / "ca.pem"

    def __enter__(self) -> Self:
        folder = self._folder = Path(tempfile.mkdtemp(prefix="slapd-"))
        try:
            (folder / "db").mkdir()
            self._certificates()
            conf = _CONF.format(
                schemas=_SCHEMAS,
                modules=_MODULES,
                folder=folder,
                suffix=SUFFIX,
                root=_ROOT,
                root_password=_ROOT_PASSWORD,
                reader=READER,
            )
            (folder / "slapd.conf").write_text(conf)
            (folder / "first.ldif").write_text(
                f"dn: {SUFFIX}\nobjectClass: organization\nobjectClass: dcObject\no: Example\ndc: example\n\n"
                f"dn: {READER}\nobjectClass: applicationProcess\nobjectClass: simpleSecurityObject\n"
                f"cn: reader\nuserPassword: {ssha(READER_PASSWORD)}\n"
            )
            command = [str(_program("slapadd")), "-f", folder / "slapd.conf", "-l", folder / "first.ldif"]
            done = subprocess.run(command, capture_output=True, check=False)
            assert done.returncode == 0, done.stderr.decode()
            self.port, self.tls_port = _free_ports()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start it, again on its ports."""
        urls = f"{self.url}/ {self.tls_url}/"
        command = [str(_program("slapd")), "-f", str(self._folder / "slapd.conf"), "-h", urls, "-d", "0"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.tls_port), timeout=1).close()
            except OSError:
                log = (self._folder / "log").read_text()
                assert self._process.poll() is None, log
                assert time.monotonic() < deadline, log
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """End the process, and wait for its end."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            process.wait(_START_SECONDS)

    def signal(self, number: int) -> None:
        """Send it a signal, such as one that freezes it."""
        assert self._process is not None
        self._process.send_signal(number)

    def connections(self) -> int:
        """How many connections it has that clients have made."""
        assert self._process is not None
        fds = Path(f"/proc/{self._process.pid}/fd")
        sockets = set()
        for one in fds.iterdir():
            with suppress(OSError):  # it is closed meanwhile
                sockets.add(str(one.readlink()))
        established = 0
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            words = line.split()
            port = int(words[1].rpartition(":")[2], 16)
            established += (
                words[3] == "01" and port in {self.port, self.tls_port} and f"socket:[{words[9]}]" in sockets
            )
        return established

    @contextmanager
    def root(self) -> Any:
        """A connection that may change everything."""
        ldap3 = library("tests")
        server = ldap3.Server("127.0.0.1", port=self.port, get_info=ldap3.NONE)
        connection = ldap3.Connection(server, _ROOT, _ROOT_PASSWORD, raise_exceptions=True)
        try:
            connection.bind()
            yield connection
        finally:
            connection.unbind()

    def add(self, dn: str, classes: Iterable[str], **attributes: Any) -> None:
        """Add an entry."""
        with self.root() as connection:
            connection.add(dn, list(classes), attributes)

    def change(self, dn: str, **attributes: Any) -> None:
        """Give attributes of an entry other values."""
        with self.root() as connection:
            changes = {
                name: [("MODIFY_REPLACE", values if isinstance(values, list) else [values])]
                for name, values in attributes.items()
            }
            connection.modify(dn, changes)

    def remove(self, dn: str) -> None:
        """Remove an entry."""
        with self.root() as connection:
            connection.delete(dn)

    def part(self, people: Iterable[Entry]) -> str:
        """Add people, and groups that are called like their roles, below an entry of their own; its name.

        Clear passwords and ours are kept as hashes; who is disabled has a ``employeeType`` that says so.
        """
        self._parts += 1
        base = f"ou=part{self._parts},{SUFFIX}"
        self.add(base, ["organizationalUnit"])
        for ou in ("people", "groups"):
            self.add(f"ou={ou},{base}", ["organizationalUnit"])
        members: dict[str, list[str]] = {}
        for person in people:
            dn = f"uid={escaped(person.name)},ou=people,{base}"
            clear = person.clear_password
            password = ssha(clear) if clear is not None else f"{{ARGON2}}{person.password}"
            more: Mapping[str, str] = {"employeeType": "disabled"} if person.disabled else {}
            self.add(
                dn, ["inetOrgPerson"], uid=person.name, cn="A", sn="Person", userPassword=password, **more
            )
            for role in person.roles:
                members.setdefault(role, []).append(dn)
        for role, dns in members.items():
            self.add(f"cn={role},ou=groups,{base}", ["groupOfNames"], cn=role, member=dns)
        return base

    def settings(self, folder: Path, base: str, *more: str, groups: str = "") -> Path:
        """A settings file for people below an entry of :meth:`part`, by TLS; more lines replace its own."""
        (folder / "reader").write_text(READER_PASSWORD)
        (folder / "reader").chmod(0o600)
        lines = {
            "kind": 'kind = "ldap"',
            "servers": f'servers = ["{self.tls_url}"]',
            "ca": f'ca = "{self.ca}"',
            "bind_dn": f'bind_dn = "{READER}"',
            "bind_password_file": 'bind_password_file = "reader"',
            "base": f'base = "ou=people,{base}"',
        }
        lines |= {line.partition(" ")[0]: line for line in more}
        tables = f'[groups]\nbase = "ou=groups,{base}"\n{groups}\n[disabled]\nemployeeType = "disabled"\n'
        path = folder / "directory.toml"
        path.write_text("\n".join(line for line in lines.values() if line.partition("=")[2]) + f"\n{tables}")
        return path

    def _certificates(self) -> None:
        now = datetime.now(UTC)
        times = {"start": now - timedelta(days=1), "end": now + timedelta(days=1)}
        authority = pki.authority("CN=Directory CA", **times)
        names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        server = authority.issue(
            "CN=directory", extensions=[(x509.SubjectAlternativeName(names), False)], **times
        )
        self.ca.write_bytes(authority.cert_pem)
        (self._folder / "server.pem").write_bytes(server.cert_pem)
        (self._folder / "server.key").write_bytes(server.key_pem)


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"/usr/sbin:/usr/libexec:{os.environ.get('PATH', '')}")


def _free_ports() -> tuple[int, int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        return int(one.getsockname()[1]), int(two.getsockname()[1])
