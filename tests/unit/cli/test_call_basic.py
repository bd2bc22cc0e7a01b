"""``wsprovider call`` by HTTP Basic: where the password goes, and where it does not."""

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from wsprovider.cli.call import _fetcher, _Line
from wsprovider.cli.calling import authorization_of
from wsprovider.config.http_basic import with_http_basic
from wsprovider.inbound.http_basic import written
from wsprovider.outbound.message import Credentials
from wsprovider.policy.compile import compile_policy
from wsprovider.policy.model import Policy
from wsprovider.scenarios.catalogue import find
from wsprovider.words.errors import ConfigurationError

BRIDGE = with_http_basic(find(1).policy())
(ALONE,) = compile_policy(Policy("", BRIDGE.alternatives[1:]), "test")
ALICE = Credentials("alice", "secret")
URL = "https://localhost/ledger"


def test_the_header_is_there_where_the_first_alternative_wants_it():
    assert authorization_of(ALONE, ALICE, URL) == written("alice", "secret")
    for policy in (BRIDGE, find(1).policy(), find(8).policy()):
        first = compile_policy(policy, "test")[0]
        assert authorization_of(first, ALICE, URL) is None
        assert authorization_of(first, None, "http://localhost/ledger") is None


@pytest.mark.parametrize(
    ("credentials", "url", "words"),
    [
        (ALICE, "http://localhost/ledger", "would show the password"),
        (None, URL, "--user: is missing"),
        (Credentials("a:b", "secret"), URL, "neither a colon"),
    ],
)
def test_what_cannot_be_sent_has_a_sentence_without_the_password(credentials, url, words):
    with pytest.raises(ConfigurationError, match=words) as refused:
        authorization_of(ALONE, credentials, url)
    assert "secret" not in str(refused.value)
    assert authorization_of(ALONE, ALICE, URL)


@pytest.fixture
def addresses() -> Iterator[tuple[str, list[Any]]]:
    """An address that sends everybody on to another one, and what both were told."""
    told: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append((self.path, self.headers["Authorization"]))
            self.send_response(302 if self.path == "/first" else 200)
            self.send_header("Location", "/second")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - its name in the standard library

        def log_message(self, *_: object) -> None:
            """Nothing on the screen."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", told
    server.shutdown()
    server.server_close()
    thread.join()


def test_whoever_is_redirected_to_learns_nothing(addresses, tmp_path, monkeypatch):
    monkeypatch.setattr("wsprovider.cli.call.tls_of", lambda _: ssl.create_default_context())
    base, told = addresses
    _Line(_fetcher(tmp_path / "none"), f"{base}/first", written("alice", "secret")).send(b"<a/>", "urn:a")
    assert told == [("/first", written("alice", "secret")), ("/second", None)]
