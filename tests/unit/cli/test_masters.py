"""Servers that live and die together; small Python programs stand in for gunicorn."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from wsprovider.cli.masters import Command, Masters

WAITS = "import time, sys; open(sys.argv[1], 'w').close(); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + WAITS
POLITE = (
    "import os, signal, sys\n"
    "signal.signal(signal.SIGTERM, lambda *_: (open(sys.argv[1] + '.bye', 'w').close(), sys.exit(0)))\n"
    + WAITS
)


def _command(name: str, program: str, folder: Path) -> Command:
    return Command(name, [sys.executable, "-c", program, str(folder / name)], dict(os.environ))


def _run(masters: Masters, ready: list[Path], then: list[tuple[float, int]] = ()) -> int:
    """Run in the main thread (signals need it) while another one sends signals once all are ready."""

    def send():
        deadline = time.monotonic() + 20
        while not all(path.exists() for path in ready) and time.monotonic() < deadline:
            time.sleep(0.02)
        for delay, number in then:
            time.sleep(delay)
            os.kill(os.getpid(), number)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        return masters.run()
    finally:
        thread.join()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_asked_to_stop_it_stops_all_and_has_done_well(tmp_path: Path, number: int):
    masters = Masters([_command("a", POLITE, tmp_path), _command("b", POLITE, tmp_path)], patience=20)
    assert _run(masters, [tmp_path / "a", tmp_path / "b"], [(0, number)]) == 0
    assert (tmp_path / "a.bye").exists()
    assert (tmp_path / "b.bye").exists()


def test_one_that_fails_stops_the_other_and_gives_its_code(tmp_path: Path, capsys):
    fails = "import sys; sys.exit(7)"
    masters = Masters([_command("a", POLITE, tmp_path), _command("b", fails, tmp_path)], patience=20)
    assert masters.run() == 7
    assert "the b server ended (exit code 7)" in capsys.readouterr().err


def test_one_that_ends_unasked_has_failed_even_with_code_0(tmp_path: Path):
    masters = Masters([_command("a", "", tmp_path)], patience=20)
    assert masters.run() == 1


def test_one_that_does_not_listen_is_killed_in_the_end(tmp_path: Path):
    masters = Masters([_command("a", STUBBORN, tmp_path)], patience=0.5)
    assert _run(masters, [tmp_path / "a"], [(0, signal.SIGTERM)]) == 1


def test_asked_twice_it_does_not_wait(tmp_path: Path):
    masters = Masters([_command("a", STUBBORN, tmp_path)], patience=60)
    started = time.monotonic()
    assert _run(masters, [tmp_path / "a"], [(0, signal.SIGINT), (1, signal.SIGINT)]) == 1
    assert time.monotonic() - started < 30


def test_signal_handlers_are_as_before(tmp_path: Path):
    before = signal.getsignal(signal.SIGTERM)
    Masters([_command("a", "", tmp_path)], patience=1).run()
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_master_does_not_outlive_a_supervisor_that_is_killed(tmp_path: Path):
    child = textwrap.dedent(
        f"""
        import os, time
        os.environ["WSPROVIDER_SUPERVISED"] = "1"
        from wsprovider.cli import gunicorn_settings
        gunicorn_settings.on_starting(None)
        open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))
        os.rename({str(tmp_path / "pid")!r}, {str(tmp_path / "ready")!r})
        time.sleep(60)
        """
    )
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    supervisor = subprocess.Popen([sys.executable, "-c", parent])
    try:
        deadline = time.monotonic() + 20
        while not (tmp_path / "ready").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        pid = int((tmp_path / "ready").read_text())
    finally:
        supervisor.kill()
        supervisor.wait()
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _alive(pid)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
