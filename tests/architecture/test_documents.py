"""The handbook says what the code says: settings, limits, links."""

import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

from tests.live import pages
from wsprovider.config import guessing, kerberos
from wsprovider.config.endpoints import KEYS
from wsprovider.exchange.guessing.settings import GuessingSettings
from wsprovider.exchange.settings import ConversationSettings, KerberosSettings
from wsprovider.words.limits import Limits

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("limit", fields(Limits), ids=lambda limit: limit.name)
def test_each_limit_is_told_with_its_default(limit):
    row = re.search(rf"^\| `{limit.name}` \| ([\d,]+) \|", SETTINGS, re.MULTILINE)
    assert row is not None
    assert int(row[1].replace(",", "")) == limit.default


def test_each_key_of_a_service_is_told():
    told = set(re.findall(r"^\| `(\w+)` \|", SETTINGS, re.MULTILINE))
    assert KEYS - told - {"freshness", "limits", "conversation", "kerberos"} == set()


def test_each_key_of_kerberos_is_told_with_its_default():
    section = SETTINGS.partition("`[kerberos]`")[2].partition("\n## ")[0]
    told = dict(re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", section, re.MULTILINE))
    assert set(told) == kerberos.KEYS
    usual = KerberosSettings()
    for name in ("per_owner", "tickets"):
        assert int(re.match(r"[\d,]+", told[name])[0].replace(",", "")) == getattr(usual, name)
    for name in ("strip_realm", "later_messages"):
        assert told[name] == f"`{str(getattr(usual, name)).lower()}`"


@pytest.mark.parametrize("setting", fields(ConversationSettings), ids=lambda setting: setting.name)
def test_each_setting_of_conversations_is_told_with_its_default(setting):
    section = SETTINGS.partition("`[conversation]`")[2]
    row = re.search(rf"^\| `{setting.name}` \| ([\d,]+)\b", section, re.MULTILINE)
    assert row is not None
    usual = setting.default
    number = int(usual.total_seconds()) if isinstance(usual, timedelta) else usual
    assert int(row[1].replace(",", "")) == number


def test_each_setting_of_guessing_is_told_with_its_default():
    section = SETTINGS.partition("`[guessing]`")[2].partition("\n## ")[0]
    told = dict(re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", section, re.MULTILINE))
    assert set(told) == guessing.KEYS
    usual = GuessingSettings()
    for name in ("caller", "address", "user"):
        scale = getattr(usual, name)
        assert told[f"free_per_{name}"] == str(scale.free)
        assert told[f"longest_per_{name}"] == str(int(scale.longest.total_seconds()))
    numbers = {
        "forget": int(usual.forget.total_seconds()),
        "known_days": usual.known_for.days,
        "known": usual.known,
    }
    assert {name: int(told[name].replace(",", "")) for name in numbers} == numbers
    assert told["enabled"] == f"`{str(usual.enabled).lower()}`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", sorted(pages.PAGES.glob("*.md")), ids=lambda page: page.stem)
def test_what_partners_are_told_to_copy_is_run(page):
    marked = pages.blocks(page.stem)
    assert page.read_text().count("\n```") == 2 * len(marked)
    for block in marked:
        assert (ROOT / block.test).is_file()


def test_each_page_of_the_handbook_is_in_its_index():
    handbook = ROOT / "docs"
    index = handbook / "README.md"
    linked = {(handbook / target).resolve() for target in re.findall(r"\]\(([^)#]+)\)", index.read_text())}
    pages = {page for page in handbook.rglob("*.md") if page.parent.name != "decisions"} - {index}
    assert {str(page.relative_to(handbook)) for page in pages - linked} == set()
