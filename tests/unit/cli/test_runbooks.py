"""The pages of docs/renewal: every command is run as it stands there, and says what the page says it does.

What happens between commands stands in the pages as comments, which readers do not see::

    <!-- test: fresh -->                             another project
    <!-- test: days 8 -->                            so many days pass: all dates move into the past
    <!-- test: seen decrypt bank keys/service/2026.cert.pem -->    a server sees a certificate at work
    <!-- test: certificate bank-2027.pem CN=bank -->               the partner sends its new one
    <!-- test: issue 2027.pem keys/service/2027.csr.pem -->        a CA answers a request
    <!-- test: edit keys/service/ring.toml -->       somebody adds a comment
    <!-- test: pkcs12 2027.p12 2027.pass -->         a PKCS#12 file, and its passphrase
    <!-- exit: 3 -->                                 how every command of the next block ends

In the output ``...`` stands for any rest of a line, or as a line for any lines; dates, digests, counts and the
operator's name may differ. A command without output in the page may say anything.
"""

import argparse
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from tests.simulator import pki
from tests.simulator.keys_site import ROOT, KeysSite
from wsprovider.cli.main import main, parser
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.uses import Case, Use

PAGES = sorted((ROOT / "docs" / "renewal").glob("*.md"))
ALSO = ROOT / "docs" / "keys.md"
_TOKEN = re.compile(r"<!-- (test|exit): (.*?) -->|^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_DATE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_DIFFERS = (
    (r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(Z|\+00:00)| \d\d:\d\dZ)?", "DATE"),
    (r"\b[0-9a-f]{8,64}\b", "DIGEST"),
    (r"\b([0-9A-F]{2}:){31}[0-9A-F]{2}\b", "DIGEST"),
    (r"\b\d+:DIGEST", "HEAD"),
    (r"\b\d+ (days|hours|minutes|entries)\b", r"N \1"),
    (r"DATE +-?\d+\b", "DATE N"),
    (r"^ *\d+ +DATE \S+@\S+", "N DATE WHO"),
    (r"\s+", " "),
)


@dataclass
class Command:
    """One ``$`` line with what the page says of it."""

    line: str
    code: int
    output: list[str] = field(default_factory=list)


def read(page: Path) -> Iterator[Command | list[str]]:
    """Commands, and the words of what happens between them."""
    code = 0
    for kind, words, language, block in _TOKEN.findall(page.read_text(encoding="utf-8")):
        if kind == "test":
            yield words.split()
        elif kind == "exit":
            code = int(words)
        elif language == "console":
            yield from _commands(block, code)
            code = 0


def _commands(block: str, code: int) -> Iterator[Command]:
    found: list[Command] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:], code))
        else:
            found[-1].output.append(line)
    yield from found


class Operator:
    """Sits before a project in which ``2026`` is the key of the service, and ``bank`` and ``office`` its partners."""

    def __init__(self, folder: Path, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder, self._keys, self._monkeypatch, self._number = folder, keys, monkeypatch, 0
        self.fresh()

    def fresh(self) -> None:
        self._number += 1
        site = self.site = KeysSite.make(self._folder / str(self._number), self._keys)
        self._seen: list[tuple[Use, datetime]] = []
        for file in (*site.ring.glob("development.*.pem"), *(site.keys / "trust" / "clients").iterdir()):
            file.unlink()
        (site.ring / "development.seal").rename(site.ring / "2026.seal")
        (site.ring / "ring.toml").write_text(
            (site.ring / "ring.toml").read_text().replace("development", "2026")
        )
        service = _holder("CN=orders,O=Example", "2026", purposes=True)
        (site.ring / "2026.key.pem").write_bytes(service.key_pem)
        (site.ring / "2026.key.pem").chmod(0o600)
        (site.ring / "2026.cert.pem").write_bytes(service.cert_pem)
        for name in ("bank", "office"):
            file = site.keys / "trust" / "clients" / f"{name}.pem"
            file.write_bytes(_holder(f"CN={name},O=Example", name, purposes=True).cert_pem)
        self._monkeypatch.chdir(site.folder)

    def days(self, number: str) -> None:
        passed = timedelta(days=int(number))
        for file in self.site.keys.rglob("*.toml"):
            file.write_text(_DATE.sub(lambda found: _earlier(found[0], passed), file.read_text()))
        assert main(["audit", "record", "--why", f"{number} days pass"]) == 0
        self._seen = [(use, at - passed) for use, at in self._seen]
        self.site.watch(datetime.now(UTC) - timedelta(days=100))
        for use, at in self._seen:
            self.site.see(use, at=at)

    def seen(self, case: str, partner: str, file: str) -> None:
        certificate = Certificate.from_x509(x509.load_pem_x509_certificate(Path(file).read_bytes()))
        self._seen.append((Use(Case(case), partner, certificate), datetime.now(UTC)))
        self.site.see(*(use for use, _ in self._seen[-1:]))

    def certificate(self, file: str, subject: str) -> None:
        Path(file).write_bytes(_holder(subject, file, purposes=True, start=-1).cert_pem)

    def issue(self, file: str, request: str) -> None:
        asked = x509.load_pem_x509_csr(Path(request).read_bytes())
        made = _holder(asked.subject.rfc4514_string(), file, public_key=asked.public_key(), start=-1)
        Path(file).write_bytes(b"".join(one.cert_pem for one in (made, *made.issuers)))

    def edit(self, file: str) -> None:
        Path(file).write_text(f"{Path(file).read_text()}# by hand\n")

    def pkcs12(self, file: str, passphrase: str) -> None:
        Path(passphrase).write_text("geheim\n")
        Path(file).write_bytes(_holder("CN=orders,O=Example", file, purposes=True, start=-1).pkcs12("geheim"))

    def run(self, line: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
        """How a command ends, and what it prints."""
        capsys.readouterr()
        program, *words = shlex.split(line)
        if program != "wsprovider":
            done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
            return done.returncode, (done.stdout + done.stderr).splitlines()
        code = main(words)
        told = capsys.readouterr()
        return code, (told.out + told.err).splitlines()


def _holder(
    subject: str, label: str, *, purposes: bool = False, start: float = -670, **bend: object
) -> pki.Holder:
    """A certificate of the present."""
    now = datetime.now(UTC).replace(microsecond=0)
    ca = pki.authority("CN=Example CA", start=now - timedelta(days=900), end=now + timedelta(days=900))
    if purposes:
        bend = {"key": pki.key("rsa-2048", label), **bend}
    usage = [pki.key_usage("digital_signature", "key_encipherment")]
    dates = {"start": now + timedelta(days=start), "end": now + timedelta(days=start + 730)}
    return ca.issue(subject, extensions=usage, **dates, **bend)


def _earlier(date: str, passed: timedelta) -> str:
    moment = datetime.fromisoformat(date)
    return date if moment.year == 9999 else f"{moment - passed:%Y-%m-%dT%H:%M:%SZ}"


def _plain(line: str) -> str:
    for pattern, instead in _DIFFERS:
        line = re.sub(pattern, instead, line)
    return line.strip()


def _agrees(page: list[str], real: list[str]) -> bool:
    """Whether the output is what the page shows."""
    if not page:
        return not real
    first, *rest = page
    if first.strip() == "...":
        return any(_agrees(rest, real[skipped:]) for skipped in range(len(real) + 1))
    fits = re.escape(_plain(first)).replace(re.escape("..."), ".*")
    return bool(real) and re.fullmatch(fits, _plain(real[0])) is not None and _agrees(rest, real[1:])


def _leaves(of: argparse.ArgumentParser, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    below = [one for one in of._actions if isinstance(one, argparse._SubParsersAction)]
    if not below:
        yield words
    for action in below:
        for name, inner in action.choices.items():
            yield from _leaves(inner, (*words, name))


COMMANDS = [words for words in _leaves(parser()) if words[0] in ("keys", "renew", "audit")]


def test_there_are_pages():
    assert {page.name for page in PAGES} >= {"README.md", *(f"{case.value}.md" for case in Case)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_does_what_the_page_says(page, tmp_path, development_keys, monkeypatch, capsys):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    operator = Operator(tmp_path, development_keys, monkeypatch)
    ran = 0
    for one in read(page):
        if isinstance(one, Command):
            code, told = operator.run(one.line, capsys)
            text = "\n".join(told)
            assert code == one.code, f"$ {one.line}\n{text}"
            assert not one.output or _agrees(one.output, told), f"$ {one.line}\n{text}"
            ran += 1
        else:
            getattr(operator, one[0])(*one[1:])
    assert ran > 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_command_stands_where_it_is_not_run(page):
    text = page.read_text(encoding="utf-8")
    run = [one.line for one in read(page) if isinstance(one, Command)]
    assert [line[2:] for line in text.splitlines() if line.lstrip("`").startswith("$ ")] == run
    assert all(kind == "console" for kind in re.findall(r"^```(\w+)$", text, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_that_are_only_named_exist(page):
    named = re.findall(r"`wsprovider (\S+) ([^\s`]+)", page.read_text(encoding="utf-8"))
    known = {words[:2] for words in COMMANDS} | {("renew", "CASE")}
    assert set(named) <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists() or target == "../keys.md", target


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_stands_in_a_page(words):
    lines = [one.line for page in PAGES for one in read(page) if isinstance(one, Command)]
    told = "\n".join([*lines, ALSO.read_text(encoding="utf-8") if ALSO.exists() else ""])
    assert f"wsprovider {' '.join(words)}" in told


# the judge of these tests ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "real", "agrees"),
    [
        (["a 2026-01-01", "b"], ["a 2027-02-03", "b"], True),
        (["a", "..."], ["a", "b", "c"], True),
        (["a", "...", "c"], ["a", "b", "b", "c"], True),
        (["a", "...", "c"], ["a", "c"], True),
        (["...", "c"], ["a", "b", "c"], True),
        (["audit log: ...", "SHA-256 ..."], ["audit log: 3:5f0e9a1b5f0e", "SHA-256 5f0e9a1b5f0e"], True),
        (["key 2026"], ["key 2027"], False),
        (["a"], ["a", "b"], False),
        (["a", "...", "c"], ["a", "b"], False),
    ],
)
def test_what_agrees(page, real, agrees):
    assert _agrees(page, real) is agrees
