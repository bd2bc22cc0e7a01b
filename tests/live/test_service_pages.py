"""The services' pages in a browser; and what they tell CXF, zeep and node-soap to copy, run as it stands there."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import browser, node_program
from tests.live.browser import Browser
from tests.live.provider import CONVERSATIONS, ROOT, SLUGS, ProviderProcess
from tests.unit.server.pages.paged import Html

pytestmark = pytest.mark.live
ACCEPT = "text/html,application/xhtml+xml,*/*;q=0.8"

GEOMETRY = """
const wrong = [];
const width = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth > width) wrong.push(`wider than ${width}`);
const inside = (box, around) => box.x >= around.x - .5 && box.y >= around.y - .5
  && box.x + box.width <= around.x + around.width + .5 && box.y + box.height <= around.y + around.height + .5;
const meet = (one, two) => one.x < two.x + two.width - .5 && two.x < one.x + one.width - .5
  && one.y < two.y + two.height - 1.5 && two.y < one.y + one.height - 1.5;
for (const svg of document.querySelectorAll("svg")) {
  const texts = [...svg.querySelectorAll("text")].map(text => [text.textContent, text.getBBox()]);
  const rows = [...svg.querySelectorAll("rect.row, rect.hidden, rect.actor")].map(row => row.getBBox());
  const view = svg.viewBox.baseVal;
  if (!texts.length) wrong.push("a picture without text");
  for (const [text, box] of texts) {
    if (!inside(box, view)) wrong.push(`outside: ${text}`);
    for (const row of rows)
      if (meet(box, row) && !inside(box, row)) wrong.push(`over the edge: ${text}`);
  }
  texts.forEach(([text, box], number) => texts.slice(number + 1).forEach(([other, second]) => {
    if (meet(box, second)) wrong.push(`${text} meets ${other}`);
  }));
  if (svg.getBoundingClientRect().width > width) wrong.push("a picture wider than the window");
}
return wrong;
"""
"""What is wrong with the place of something."""

CONTRAST = """
const light = colour => {
  const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(Number)
    .map(one => one / 255).map(one => one <= .04045 ? one / 12.92 : ((one + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b;
};
const ratio = (one, two) => { const [a, b] = [light(one), light(two)].sort((x, y) => y - x); return (a + .05) / (b + .05); };
const style = element => getComputedStyle(element);
const paper = style(document.body).backgroundColor, sealed = style(document.querySelector(".sealed")).fill;
const wrong = [];
for (const element of document.querySelectorAll("h1, h2, p, li, dt, dd, a, summary, svg text:not(.digit)")) {
  const colour = element.closest("svg") ? style(element).fill : style(element).color;
  for (const ground of [paper, ...(element.closest("svg") ? [sealed] : [])])
    if (ratio(colour, ground) < 4.5) wrong.push(`${element.textContent.slice(0, 30)}: ${colour} on ${ground}`);
}
return [light(paper) > .5 ? "light" : "dark", ...wrong];
"""
"""Whether the page is light or dark, and what cannot be read on it (WCAG 2.1, 1.4.3)."""


def paths() -> list[str]:
    """The echo service's endpoints: sixteen scenarios and the policy documents."""
    told = tomllib.loads((ROOT / "services" / "echo" / "service.toml").read_text())
    left_out = set() if importlib.util.find_spec("gssapi") else {"/echo/kerberos"}
    found = [one["path"] for one in told["endpoint"]]
    return [path for path in found if path.startswith("/echo/") and path not in left_out]


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser."""
    reason = browser.missing()
    if reason is not None:
        pytest.skip(reason)
    with Browser(tmp_path_factory.mktemp("browser")) as running:
        yield running


def test_every_page_is_in_order(window: Browser, provider: ProviderProcess) -> None:
    """No complaint in the console, no text out of its place, narrow and wide; everything opened."""
    for path in paths():
        window.go(provider.url(path))
        assert window.run("return document.querySelectorAll('svg').length") in (2, 4), path
        window.run("for (const one of document.querySelectorAll('details')) one.open = true")
        for width in (400, 1280):
            window.resize(width)
            assert window.run(GEOMETRY) == [], (path, width)
        assert window.complaints() == [], path


def test_the_measure_measures(window: Browser, provider: ProviderProcess) -> None:
    """A text too long, and one upon another, are found; and a script that is not ours does not run."""
    window.go(provider.url(f"/echo/{SLUGS['5']}"))
    window.resize(1280)
    assert window.run(GEOMETRY) == []
    window.run("document.querySelector('svg .note').textContent = 'x'.repeat(80)")
    assert any(one.startswith("outside") for one in window.run(GEOMETRY))
    window.run("document.querySelector('svg .legend').setAttribute('y', 0)")
    assert window.complaints() == []
    window.run(
        "const one = document.createElement('script'); one.textContent = 'window.ran = 1'; document.body.append(one)"
    )
    assert window.run("return window.ran") is None
    assert any("Content Security Policy" in one for one in window.complaints())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_read(window: Browser, provider: ProviderProcess, theme: str) -> None:
    """By day and by night."""
    window.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
    try:
        window.go(provider.url("/echo/signed-endorsing-encrypted"))
        assert window.run(CONTRAST) == [theme]
    finally:
        window.devtools("Emulation.setEmulatedMedia", features=[])


def test_the_buttons_copy(window: Browser, provider: ProviderProcess) -> None:
    """What is copied is the text below, to the letter; without script there is no button."""
    url = provider.url(f"/echo/{SLUGS['5']}")
    window.devtools(
        "Browser.grantPermissions",
        origin=provider.http,
        permissions=["clipboardReadWrite", "clipboardSanitizedWrite"],
    )
    window.resize(1280)
    window.go(url)
    window.click("summary")
    window.click("details[open] button")
    read = "return (async () => [await navigator.clipboard.readText(), document.querySelector('pre').textContent])()"
    copied, shown = window.run(read)
    assert copied == shown
    assert "keystore" in copied
    assert window.run("return document.querySelector('button').textContent") == "Copied"
    assert window.complaints() == []
    window.run("Object.defineProperty(navigator, 'clipboard', {configurable: true, value: undefined})")
    window.click("details[open] .snippet:nth-of-type(2) button")  # the way over plain HTTP
    window.run("delete navigator.clipboard")
    assert "security.signature.username=your-alias" in window.run(read)[0]
    window.devtools("Emulation.setScriptExecutionDisabled", value=True)
    try:
        window.go(url)
        visible = "return [...document.querySelectorAll('button')].filter(one => one.offsetParent).length"
        window.click("summary")
        assert window.run(visible) == 0
        assert window.run("return document.querySelector('details pre').offsetHeight") > 50
    finally:
        window.devtools("Emulation.setScriptExecutionDisabled", value=False)


class Copied:
    """The texts of an endpoint's page for one client, in a folder, with the development keys beside them."""

    def __init__(self, provider: ProviderProcess, folder: Path, path: str, client: str) -> None:
        self.provider, self.folder = provider, folder
        folder.mkdir()
        html = Html.of(_get(provider.url(path)))
        for name, text in html.snippets()[client].items():
            filled = text.replace("your-alias", "client-1").replace("your-user", "alice")
            (folder / name).write_text(filled.replace("your-password", "development"))
        keys = provider.keys / "development"
        for ours, theirs in (
            ("client-1.p12", "client.p12"),
            ("trust.p12", "trust.p12"),
            ("client-1.key.pem", "client.key.pem"),
            ("client-1.cert.pem", "client.cert.pem"),
            ("ca.pem", "ca.pem"),
        ):
            shutil.copy(keys / ours, folder / theirs)
        if "service.cert.pem" in "".join(html.snippets()[client].values()):
            (folder / "service.cert.pem").write_bytes(_get(provider.url(f"{path}?certificate")))

    def run(self, *command: str) -> str:
        """What a program prints; the service has accepted its call."""
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, encoding="utf-8", timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def _get(url: str) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": ACCEPT})) as opened:
        data: bytes = opened.read()
        return data


@pytest.mark.parametrize(
    ("path", "caller"),
    [
        (f"/suite/Basic128GcmSha256/{SLUGS['5']}", "client-1"),
        (f"/echo/{CONVERSATIONS['11']}", "client-1"),
        ("/echo/transport-endorsing", "client-1"),
    ],
)
def test_cxf(
    provider: ProviderProcess, request: pytest.FixtureRequest, tmp_path: Path, path: str, caller: str
) -> None:
    """A GCM suite of 128 bits, a conversation, an endorsing certificate over HTTPS: what each page says."""
    request.getfixturevalue("cxf")
    copied = Copied(provider, tmp_path / "copied", path, "Apache CXF")
    libraries = ROOT / "tests" / "live" / "java" / "cxf" / "target" / "lib"
    (copied.folder / "lib").symlink_to(libraries)
    options = " ".join(f"-Djavax.net.ssl.trustStore{one}" for one in ("=trust.p12", "Password=development"))
    since = provider.logged()
    printed = copied.run("env", f"JDK_JAVA_OPTIONS=-XX:TieredStopAtLevel=1 {options}", "sh", "-eu", "run.sh")
    assert ">?<" in printed
    lines = provider.requests(since, 1)
    assert lines[-1]["operation"] == "echo"
    assert {(line["reason"], line["principal"]) for line in lines} == {(None, caller)}


def test_wss4j(provider: ProviderProcess, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """The program without its encryption, as the page of a service has it that only signs."""
    request.getfixturevalue("cxf")
    copied = Copied(provider, tmp_path / "copied", f"/echo/{SLUGS['2']}", "WSS4J")
    (copied.folder / "lib").symlink_to(ROOT / "tests" / "live" / "java" / "cxf" / "target" / "lib")
    since = provider.logged()
    assert copied.run("sh", "-eu", "run.sh") == "?"
    [line] = provider.requests(since, 1)
    assert (line["reason"], line["principal"]) == (None, "client-1")


@pytest.mark.parametrize(
    ("path", "caller"),
    [
        (f"/echo/{SLUGS['1']}", "alice"),
        (f"/echo/{SLUGS['2']}", "client-1"),
        ("/echo/transport-endorsing", "client-1"),
    ],
)
def test_zeep(provider: ProviderProcess, tmp_path: Path, path: str, caller: str) -> None:
    """A password, a certificate, an endorsing certificate: what each page says."""
    copied = Copied(provider, tmp_path / "copied", path, "zeep (Python)")
    since = provider.logged()
    assert copied.run(sys.executable, "client.py") == "?\n"
    [line] = provider.requests(since, 1)
    assert (line["reason"], line["principal"]) == (None, caller)


@pytest.mark.parametrize(
    ("path", "caller"),
    [
        (f"/echo/{SLUGS['1']}", "alice"),
        (f"/echo/{SLUGS['2']}", "client-1"),
        ("/echo/transport-endorsing", "client-1"),
    ],
)
def test_node_soap(provider: ProviderProcess, tmp_path: Path, path: str, caller: str) -> None:
    """A password, a certificate, an endorsing certificate: what each page says."""
    reason = node_program.missing()
    if reason is not None:
        pytest.skip(reason)
    copied = Copied(provider, tmp_path / "copied", path, "node-soap")
    (copied.folder / "node_modules").symlink_to(node_program.install() / "node_modules")
    time.sleep(1)  # in one second, equal first calls bear equal signatures: docs/peers/node-soap.md
    since = provider.logged()
    assert "?" in copied.run("node", "--no-deprecation", "client.mjs")
    [line] = provider.requests(since, 1)
    assert (line["reason"], line["principal"]) == (None, caller)
