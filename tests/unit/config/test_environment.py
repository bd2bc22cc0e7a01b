from pathlib import Path

import pytest

from wsprovider.config.environment import available_cores, read_environment
from wsprovider.words.errors import ConfigurationError


def test_nothing_set_gives_the_documented_defaults():
    environment = read_environment({})
    assert (environment.host, environment.http_port, environment.https_port) == ("127.0.0.1", 8080, 8443)
    assert environment.workers == available_cores() >= 1
    assert environment.services is None
    assert environment.keys is None
    assert not environment.supervised
    assert environment.per_address is None
    assert environment.monitor is None
    assert environment.telemetry is None


def test_an_empty_variable_counts_as_not_set():
    assert read_environment({"WORKERS": "", "HTTP_PORT": "", "WSPROVIDER_KEYS": ""}) == read_environment({})


def test_everything_is_read():
    environment = read_environment(
        {
            "WSPROVIDER_SERVICES": "/s",
            "WSPROVIDER_KEYS": "k",
            "HTTP_PORT": "1",
            "HTTPS_PORT": "65535",
            "WORKERS": "3",
            "WSPROVIDER_PER_ADDRESS": "1000",
            "WSPROVIDER_MONITOR": "[::1]:9",
            "WSPROVIDER_TELEMETRY": "/t",
        }
    )
    assert environment.services == Path("/s")
    assert environment.keys == Path("k")
    assert (environment.http_port, environment.https_port, environment.workers) == (1, 65535, 3)
    assert environment.per_address == 1000
    assert (str(environment.monitor), environment.telemetry) == ("[::1]:9", Path("/t"))


@pytest.mark.parametrize("value", ["0", "-1", "65536", "80 ", "+80", "8e1", "²", "http"])
def test_what_is_no_port_is_refused(value: str):
    with pytest.raises(ConfigurationError, match="HTTP_PORT"):
        read_environment({"HTTP_PORT": value})


@pytest.mark.parametrize(("value", "off"), [("off", True), ("127.0.0.1:1", False)])
def test_the_monitors_bind(value: str, off: bool):
    monitor = read_environment({"WSPROVIDER_MONITOR": value}).monitor
    assert monitor is not None
    assert monitor.off == off
    assert str(monitor) == value
    with pytest.raises(ConfigurationError, match=r'WSPROVIDER_MONITOR: "x.*" is no bind: write an address'):
        read_environment({"WSPROVIDER_MONITOR": f"x{value}x"})


def test_all_wrong_variables_are_named_at_once():
    with pytest.raises(ConfigurationError) as caught:
        read_environment({"HTTP_PORT": "x", "HTTPS_PORT": "x", "WORKERS": "x"})
    assert len(caught.value.problems) == 3


def test_one_port_cannot_be_both():
    with pytest.raises(ConfigurationError, match="the same as HTTP_PORT"):
        read_environment({"HTTP_PORT": "8443"})
