"""Whose connection it is, and that the handbook says what the code says."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from wsprovider.cli import gunicorn_settings
from wsprovider.server.peers.bounds import Bounds, source

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "gunicorn.md").read_text()


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (("192.0.2.7", 1), "192.0.2.7"),
        (("::ffff:192.0.2.7", 1, 0, 0), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 1, 0, 0), "2001:db8:1:2::/64"),
        (("2001:db8:1:2:ffff::1", 1, 0, 0), "2001:db8:1:2::/64"),
        (("2001:db8:1:3::1", 1, 0, 0), "2001:db8:1:3::/64"),
        (("fe80::1%eth0", 1, 0, 2), "fe80::/64"),
        ("", ""),
        (b"", ""),
    ],
)
def test_connections_are_counted_by_address_and_by_64(client, expected):
    assert source(client) == expected


@pytest.mark.parametrize("bound", fields(Bounds), ids=lambda bound: bound.name)
def test_each_bound_is_told_with_its_value(bound):
    row = re.search(rf"^\| `{bound.name}` \| ([\d,]+)", PAGE, re.MULTILINE)
    assert row is not None
    assert int(row[1].replace(",", "")) == bound.default


def test_each_setting_of_gunicorn_is_told():
    settings = {
        name
        for name in vars(gunicorn_settings)
        if name[0].islower() and getattr(gunicorn_settings, name).__class__.__name__ not in ("module", "type")
    }
    told = set(re.findall(r"`(\w+)`", PAGE.partition("\n## Settings")[2]))
    imported = {"development_warning", "loopback", "read_environment", "watched"}
    hooks = {"on_starting", "pre_fork", "post_worker_init", "child_exit", "on_exit"}
    assert settings - imported - hooks - told == set()
