"""The settings are understood by the gunicorn that is installed, and say what the operator counts on."""

import importlib
import ssl
from types import SimpleNamespace
from weakref import WeakSet

import pytest
from gunicorn.app.base import Application
from gunicorn.config import Config

from wsprovider.adapters.shared.memory import MemoryStore
from wsprovider.cli import gunicorn_settings


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> Config:
    """gunicorn's own reading of the module, as ``-c python:...`` does it."""
    monkeypatch.setattr(
        "sys.argv", ["gunicorn", "-c", "python:wsprovider.cli.gunicorn_settings", "wsgi:application"]
    )

    class Reads(Application):
        def init(self, parser, opts, args):
            return {}

        def load(self):
            raise NotImplementedError

    return Reads().cfg


def test_gunicorn_takes_every_setting(config: Config):
    own = [name for name in vars(gunicorn_settings) if name in config.settings]
    assert len(own) > 18
    assert config.worker_class_str == gunicorn_settings.worker_class
    for name in own:
        if name == "worker_class" or callable(getattr(gunicorn_settings, name)):
            continue
        wanted = getattr(gunicorn_settings, name)
        got = getattr(config, name)
        assert got == wanted or (not got and not wanted), name


def test_no_address_is_trusted_to_say_how_a_request_came(config: Config):
    assert not any(config.forwarded_allow_ips)
    assert not config.secure_scheme_headers
    assert config.header_map == "drop"


def test_workers_follow_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WORKERS", "3")
    assert importlib.reload(gunicorn_settings).workers == 3
    monkeypatch.delenv("WORKERS")
    importlib.reload(gunicorn_settings)


def test_tls_has_a_floor():
    context = gunicorn_settings.ssl_context(None, lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    names = {cipher["name"] for cipher in context.get_ciphers()}
    assert names
    assert all("GCM" in name or "CHACHA20" in name for name in names)


@pytest.mark.parametrize(
    ("bind", "warned"),
    [
        ("127.0.0.1", False),
        ("::1", False),
        ("localhost", False),
        ("0.0.0.0", True),
        ("", True),
        ("192.0.2.1", True),
    ],
)
def test_development_keys_on_a_public_address_are_warned_of(tmp_path, monkeypatch, bind: str, warned: bool):
    monkeypatch.chdir(tmp_path)
    said = []
    server = SimpleNamespace(
        cfg=SimpleNamespace(address=[(bind, 80), "/run/socket"], workers=1),
        log=SimpleNamespace(warning=lambda form, *values: said.append(form % values)),
    )
    gunicorn_settings.on_starting(server)
    assert not said, "there are no development keys"
    (tmp_path / "keys" / "development").mkdir(parents=True)
    (tmp_path / "keys" / "development" / "ca.key.pem").touch()
    gunicorn_settings.on_starting(server)
    assert bool(said) == warned


@pytest.mark.parametrize("count", [1, 2])
def test_several_workers_cannot_share_the_memory_of_each(monkeypatch: pytest.MonkeyPatch, count: int):
    """Each accepted a message once, and nobody said a word of it."""
    monkeypatch.setattr("wsprovider.cli.gunicorn_settings.log.to_stderr", lambda: None)
    # the stores of other tests aside
    monkeypatch.setattr("wsprovider.adapters.shared.forking._watched", WeakSet())
    server = SimpleNamespace(cfg=SimpleNamespace(address=[], workers=count))
    store = MemoryStore()
    if count == 1:
        gunicorn_settings.on_starting(server)
    else:
        with pytest.raises(RuntimeError, match=r"accepted once in each; write sqlite:///path"):
            gunicorn_settings.on_starting(server)
    store.close()
