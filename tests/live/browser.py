"""Chromium without a screen, driven by chromedriver's own protocol (W3C WebDriver) with what Python has."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.live.provider import free_port

_PROGRAMS = ("chromium", "chromedriver")
_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--ignore-certificate-errors",
)


def missing() -> str | None:
    """Why there is no browser on this machine, or None when there is."""
    programs = [program for program in _PROGRAMS if shutil.which(program) is None]
    return f"not installed: {', '.join(programs)}" if programs else None


class Browser:
    """One browser with one window; use it as a context manager.

    Args:
        folder: an empty one, for the profile and the log.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._session = ""

    def __enter__(self) -> Self:
        with (self._folder / "chromedriver.log").open("wb") as log:
            command = ["chromedriver", f"--port={self._port}", "--allowed-ips=127.0.0.1"]
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            self._open()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _open(self) -> None:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < deadline, "chromedriver did not start"
                time.sleep(0.05)
        options = {"args": [*_ARGUMENTS, f"--user-data-dir={self._folder / 'profile'}"]}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        answer = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{answer['sessionId']}"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        assert process is not None
        try:
            if self._session:
                self._ask("DELETE", self._session)
        finally:
            process.terminate()
            process.wait(10)

    def go(self, url: str) -> None:
        """Open a page, and wait until it is there."""
        self._ask("POST", f"{self._session}/url", {"url": url})

    def run(self, script: str, *arguments: object) -> Any:
        """What a function's body returns in the page."""
        return self._ask("POST", f"{self._session}/execute/sync", {"script": script, "args": list(arguments)})

    def devtools(self, command: str, **parameters: object) -> Any:
        """A command of the DevTools protocol."""
        path = f"{self._session}/goog/cdp/execute"
        return self._ask("POST", path, {"cmd": command, "params": parameters})

    def resize(self, width: int, height: int = 900) -> None:
        """The window, narrower than any real one may be, too."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.devtools("Emulation.setDeviceMetricsOverride", **size)

    def click(self, selector: str) -> None:
        """Click the first element that a CSS selector finds, as somebody with a mouse does."""
        using = {"using": "css selector", "value": selector}
        found = self._ask("POST", f"{self._session}/element", using)
        (identifier,) = found.values()
        self._ask("POST", f"{self._session}/element/{identifier}/click", {})

    def complaints(self) -> list[str]:
        """What the console got since the last call: errors, and what the content's policy has stopped."""
        found = self._ask("POST", f"{self._session}/se/log", {"type": "browser"})
        return [str(one["message"]) for one in found if one["level"] in ("WARNING", "SEVERE")]

    def _ask(self, method: str, path: str, content: object = None) -> Any:
        data = None if content is None else json.dumps(content).encode()
        address = f"http://127.0.0.1:{self._port}{path}"
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(address, data, headers, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from None
