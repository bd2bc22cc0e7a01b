"""What the pages of CXF, Metro, Rampart and WSS4J tell to copy works as it stands there."""

from __future__ import annotations

import re
import shutil
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from tests.live.pages import blocks
from tests.live.provider import CONVERSATIONS, ROOT, SLUGS, ProviderProcess

pytestmark = pytest.mark.live
TEXT = "hello"


class Program:
    """The files of a page in one folder, with the development keys beside them, compiled."""

    def __init__(self, provider: ProviderProcess, module: str, folder: Path, *pages: str) -> None:
        self.provider, self.folder = provider, folder
        self.libraries = ROOT / "tests" / "live" / "java" / module / "target" / "lib"
        for page in pages:
            for block in blocks(page):
                (folder / block.name).write_text(block.text)
        for store in ("client-1.p12", "trust.p12"):
            shutil.copy(provider.keys / "development" / store, folder)
        self.do("javac", "-cp", f"{self.libraries}/*", "EchoClient.java")

    def call(self, path: str, *, wsdl: bool = True, secure: bool = False) -> str:
        """What one run prints."""
        url = self.provider.url(f"{path}?wsdl" if wsdl else path, secure=secure)
        trust = [f"-Djavax.net.ssl.trustStore{name}" for name in ("=trust.p12", "Password=development")]
        flags = ["-XX:TieredStopAtLevel=1", *trust]
        return self.do("java", *flags, "-cp", f"{self.libraries}/*:.", "EchoClient", url, TEXT)

    def refused(self, path: str, *, wsdl: bool = True) -> str:
        """The Reason in the log of a call that must be refused by the service."""
        marked = self.provider.logged()
        with pytest.raises(subprocess.SubprocessError):
            self.call(path, wsdl=wsdl)
        [line] = self.provider.requests(marked, 1)
        return str(line["reason"])

    def do(self, *command: str) -> str:
        """Run a program in the folder; what it printed."""
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, encoding="utf-8", timeout=120, check=False
        )
        if done.returncode:
            raise subprocess.SubprocessError(done.stderr)
        return done.stdout


Programs = Callable[..., Program]


@pytest.fixture
def programs(provider: ProviderProcess, tmp_path: Path, request: pytest.FixtureRequest) -> Programs:
    """Makes programs; asking for the peer has its libraries fetched."""

    def made(module: str, *pages: str) -> Program:
        request.getfixturevalue(module)
        return Program(provider, module, tmp_path, *pages)

    return made


def operations(program: Program, since: int, count: int) -> list[tuple[str | None, str | None]]:
    """What the log says that was called, and by whom."""
    lines = program.provider.requests(since, count)
    assert [line["reason"] for line in lines] == [None] * count
    return [(line["operation"], line["principal"]) for line in lines]


def test_cxf(programs: Programs) -> None:
    """A password over HTTPS, a GCM suite, and a conversation: the same client, told the same.

    Without the first of the two properties for signatures it is refused.
    """
    program = programs("cxf", "cxf")
    since = program.provider.logged()
    assert f">{TEXT}<" in program.call(f"/echo/{SLUGS['1']}", secure=True)
    assert f">{TEXT}<" in program.call(f"/echo/{SLUGS['7']}")
    assert f">{TEXT}<" in program.call(f"/echo/{CONVERSATIONS['11']}")
    assert operations(program, since, 4) == [
        ("echo", "alice"),
        ("echo", "alice"),
        ("security-context-issue", "client-1"),
        ("echo", "client-1"),
    ]
    told = program.folder / "endpoint.properties"
    told.write_text(
        re.sub(r"^ws-security\.asymmetric\.signature.*\n", "", told.read_text(), flags=re.MULTILINE)
    )
    assert program.refused(f"/echo/{SLUGS['2']}") == "ALGORITHM_NOT_IN_SUITE"


def test_wss4j(programs: Programs) -> None:
    """Scenario 5, and the reply checked: one that is not signed is none."""
    program = programs("cxf", "cxf", "wss4j")
    since = program.provider.logged()
    assert program.call(f"/echo/{SLUGS['5']}", wsdl=False) == TEXT
    assert operations(program, since, 1) == [("echo", "client-1")]
    with pytest.raises(
        subprocess.SubprocessError, match=r"the Body of the reply is not signed: .*not accepted"
    ):
        program.call(f"/echo/{SLUGS['8']}", wsdl=False)


def test_metro(programs: Programs) -> None:
    """A password over HTTPS, and a conversation that ends with the client."""
    program = programs("metro", "metro")
    since = program.provider.logged()
    assert f">{TEXT}<" in program.call(f"/echo/{SLUGS['1']}", secure=True)
    assert f">{TEXT}<" in program.call(f"/echo/{CONVERSATIONS['11']}")
    assert operations(program, since, 4) == [
        ("echo", "alice"),
        ("security-context-issue", "client-1"),
        ("echo", "client-1"),
        ("security-context-cancel", "client-1"),
    ]


def test_rampart(programs: Programs) -> None:
    """Led by the policy of our WSDL; under a suite that wants longer keys it is refused."""
    program = programs("rampart", "rampart")
    repository = program.folder / "repository"
    (repository / "services").mkdir(parents=True)
    (repository / "modules").mkdir()
    shutil.copy(program.libraries / "rampart-1.7.1.mar", repository / "modules")
    program.do("sh", "-eu", "keys.sh")
    since = program.provider.logged()
    path = f"/wso2/{SLUGS['8']}"
    configure(program, path)
    assert program.call(path, wsdl=False) == TEXT
    assert operations(program, since, 1) == [("echo", "alice")]
    path = f"/echo/{SLUGS['8']}"
    configure(program, path)
    assert program.refused(path, wsdl=False) == "SIGNATURE_VALUE"


def configure(program: Program, path: str) -> None:
    """The policy of an endpoint, with Rampart's own configuration."""
    with urllib.request.urlopen(program.provider.url(f"{path}?wsdl")) as opened:
        policy = etree.fromstring(opened.read()).find("{*}Policy")
    policy.append(etree.parse(program.folder / "rampart-config.xml").getroot())
    (program.folder / "policy.xml").write_bytes(etree.tostring(policy))
