"""What ``docs/peers`` tells partners to copy, for the tests that run exactly that.

A fenced block has a line above it that names the test module and the block::

    <!-- tests/live/test_zeep.py: security -->
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from tests.live.provider import ROOT

PAGES = ROOT / "docs" / "peers"
_MARKER = r"^<!-- (tests/live/test_\w+\.py): ([\w./-]+) -->\n"
_FENCED = r"^```(\w*)\n(.*?)^```$"
_MARKED = re.compile(_MARKER + _FENCED, re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """A fenced block, and who runs it."""

    test: str
    name: str
    language: str
    text: str


def blocks(page: str) -> list[Block]:
    """The blocks of one page that say who runs them."""
    return blocks_of(PAGES / f"{page}.md")


def blocks_of(file: Path) -> list[Block]:
    """The same of any file of the handbook."""
    return [Block(*found) for found in _MARKED.findall(file.read_text())]


def block(page: str, name: str) -> str:
    """The text of one block.

    Args:
        page: the page's name, without the suffix.
    """
    [text] = [found.text for found in blocks(page) if found.name == name]
    return text
