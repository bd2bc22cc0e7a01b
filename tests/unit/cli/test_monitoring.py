"""gunicorn's hooks where the folder or the application is not what they count on: serving goes on."""

from types import SimpleNamespace

import pytest

from tests.unit.server.plain import serve
from wsprovider.cli import monitoring
from wsprovider.config.monitor import Monitor


def master(application, *, preload_app=True):
    cfg = SimpleNamespace(preload_app=preload_app, uid=0, gid=0, initgroups=False)
    return SimpleNamespace(cfg=cfg, app=SimpleNamespace(wsgi=lambda: application), LISTENERS=[])


@pytest.fixture
def started(monkeypatch):
    """What monitors would have been started at."""
    binds = []

    def start(bind, *_):
        binds.append(str(bind))
        return 0

    monkeypatch.setattr(monitoring.monitor, "start", start)
    monkeypatch.delenv("WSPROVIDER_MONITOR", raising=False)
    return binds


@pytest.mark.parametrize(
    ("named", "configured", "wanted"),
    [
        (None, Monitor(), ["127.0.0.1:9464"]),
        ("127.0.0.1:9", Monitor(), ["127.0.0.1:9"]),
        ("127.0.0.1:9", Monitor(port=0), ["127.0.0.1:9"]),
        ("off", Monitor(), []),
        (None, Monitor(port=0), []),
    ],
)
def test_the_environment_goes_before_the_file(started, monkeypatch, named, configured, wanted):
    if named is not None:
        monkeypatch.setenv("WSPROVIDER_MONITOR", named)
    one = monitoring.Monitoring()
    one.before_worker(master(serve(monitor=configured).provider))
    assert started == wanted
    one.end()


def test_what_is_not_ours_or_not_loaded_in_the_master_has_none(started):
    one = monitoring.Monitoring()
    ours = serve(monitor=Monitor()).provider
    for server in (master(object()), master(ours, preload_app=False)):
        one.before_worker(server)
        one.after_worker(server, SimpleNamespace(pid=1))
    assert started == []
    one.before_worker(master(ours))
    assert len(started) == 1
    one.end()


def test_a_folder_that_has_gone_stops_nobody(started, monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("WSPROVIDER_TELEMETRY", str(tmp_path / "gone"))
    ours = serve(monitor=Monitor()).provider
    one = monitoring.Monitoring()
    one.before_worker(master(ours))
    one.in_worker(SimpleNamespace(wsgi=ours))
    one.after_worker(master(ours), SimpleNamespace(pid=1))
    assert "this worker counts for itself" in caplog.text
    assert "is not told any more" in caplog.text
    (tmp_path / "gone").mkdir()
    caplog.clear()
    one.in_worker(SimpleNamespace(wsgi=ours))
    one.after_worker(master(ours), SimpleNamespace(pid=1))
    assert not caplog.text
    one.end()


def test_where_no_folder_can_be_made_each_counts_for_itself(started, monkeypatch, caplog):
    def full():
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(monitoring, "Folder", full)
    one = monitoring.Monitoring()
    one.before_worker(master(serve(monitor=Monitor()).provider))
    assert "each worker counts for itself" in caplog.text
    assert started == []
    one.end()
