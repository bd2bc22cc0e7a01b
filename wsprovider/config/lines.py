"""Line numbers of keys in a TOML file, for error messages.

The standard library's reader keeps no positions. This scan sees headings and ``key =`` lines; what it
does not recognise (a key inside an inline table, say) simply has no line number in its message.
"""

import re
from typing import Final

_HEADING: Final = re.compile(r"\s*\[(\[?)\s*([^\[\]]+?)\s*\]")
_KEY: Final = re.compile(r"\s*([A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')\s*=")

Place = tuple[str | int, ...]
"""Keys and 1-based positions in arrays of tables, from the top of the document."""


def key_lines(text: str) -> dict[Place, int]:
    """The line of each heading and key, by its place such as ``("endpoint", 2, "scenario")``."""
    lines: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if heading := _HEADING.match(line):
            table = _resolve(heading[2], counts, array=bool(heading[1]))
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, key[1].strip("\"'")), number)
    return lines


def _resolve(heading: str, counts: dict[Place, int], *, array: bool) -> Place:
    """The place a heading opens; a dotted one below an array means that array's latest table."""
    place: Place = ()
    names = [name.strip().strip("\"'") for name in heading.split(".")]
    for index, name in enumerate(names):
        place = (*place, name)
        if array and index == len(names) - 1:
            counts[place] = counts.get(place, 0) + 1
        if place in counts:
            place = (*place, counts[place])
    return place
