"""Spyne is importable on every supported Python, by our shim where that is needed."""

import subprocess
import sys

from wsprovider.server.spyne_compat import _MovesFinder, install

IMPORT = (
    "import http.cookies, importlib\n"
    "before = http.cookies.__spec__\n"
    "{first}\n"
    "import spyne.util.six.moves.http_cookies as moved\n"
    "from spyne.server.wsgi import WsgiApplication\n"
    "from spyne.protocol.soap import Soap11, Soap12\n"
    "assert moved is http.cookies\n"
    "assert http.cookies.__spec__ is before\n"
    "importlib.reload(http.cookies)\n"
)


def run(first):
    code = IMPORT.format(first=first)
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False
    )


def test_spyne_after_the_shim():
    done = run("from wsprovider.server.spyne_compat import install; install(); install()")
    assert done.returncode == 0, done.stderr


def test_spyne_alone_fails_where_its_own_importer_no_longer_works():
    assert ("spyne.util.six.moves" in run("").stderr) == (sys.version_info >= (3, 12))


def test_the_finder_answers_for_nothing_else():
    finder = _MovesFinder()
    for name in (
        "spyne",
        "spyne.util.six",
        "spyne.util.six.movesx",
        "six.moves",
        "spyne.util.six.moves.nothing",
    ):
        assert finder.find_spec(name, None) is None


def test_installed_once():
    install()
    install()
    found = [finder for finder in sys.meta_path if isinstance(finder, _MovesFinder)]
    assert len(found) == (1 if sys.version_info >= (3, 12) else 0)
