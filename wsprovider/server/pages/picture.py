"""One message as SVG: its rows, the signatures at their left, what is encrypted hatched and with a lock.

Sizes are pixels of the picture's own grid, so wide that it can be read on a telephone. Widths of text are
reckoned for a wide font; colours are the page's (:mod:`wsprovider.server.pages.style`), and no meaning hangs on
them alone.
"""

from collections.abc import Iterator
from html import escape
from textwrap import wrap
from typing import Final

from wsprovider.server.pages.layout import Outline, Row, described

WIDTH: Final = 360
_LEFT, _ROW_WIDTH = 62, 246
_ROW_HEIGHT, _GAP = 42, 8
_LETTER: Final = 0.62
"""Width of a letter in sizes of its font; DejaVu Sans, which is wide, has 0.6."""
_LEGEND_SIZE: Final = 12


def picture(drawn: Outline, number: int, title: str) -> str:
    """The picture, one ``svg`` element.

    Args:
        drawn: the message.
        number: of the picture on its page, for its ids.
        title: what message it is.
    """
    top = 64 + (12 if drawn.tls else 0)
    body: list[str] = []
    centres: list[tuple[Row, float]] = []
    y = top + 30
    for row in drawn.rows:
        body += _row(row, y, number)
        centres.append((row, y + _ROW_HEIGHT / 2))
        y += _ROW_HEIGHT + _GAP
    header_end = y
    y += 30
    body += _row(drawn.body, y, number)
    centres.append((drawn.body, y + _ROW_HEIGHT / 2))
    bottom = y + _ROW_HEIGHT + _GAP + 4
    body += _frames(top, header_end, bottom, tls=drawn.tls)
    body += _brackets(centres, len(drawn.signatures))
    legend, height = _legend(drawn, bottom + (48 if drawn.tls else 20))
    ids = f"title-{number}", f"told-{number}"
    return "".join(
        (
            f'<svg class="picture" viewBox="0 0 {WIDTH} {height:g}" role="img" aria-labelledby="{ids[0]} {ids[1]}">',
            f'<title id="{ids[0]}">{escape(title)}</title><desc id="{ids[1]}">{escape(described(drawn))}</desc>',
            _hatch(number),
            *_actors(drawn),
            *body,
            *legend,
            "</svg>\n",
        )
    )


def _hatch(number: int) -> str:
    """What fills rows that are encrypted."""
    return (
        f'<defs><pattern id="hatch-{number}" width="7" height="7" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect class="sealed" width="7" height="7"/>'
        '<path class="stroke" d="M0 0V7"/></pattern></defs>'
    )


def _actors(drawn: Outline) -> Iterator[str]:
    for x, name in ((6, "Client"), (264, "Service")):
        yield f'<rect class="actor" x="{x}" y="6" width="90" height="34" rx="4"/>'
        yield _text(x + 45, 28, name, "name middle")
    start, end = (100, 258) if drawn.request else (260, 102)
    back = -8 if drawn.request else 8
    yield f'<path class="arrow" d="M{start} 23H{end}m{back} -5l{-back} 5l{back} 5"/>'


def _frames(top: float, header_end: float, bottom: float, *, tls: bool) -> Iterator[str]:
    if tls:
        yield f'<rect class="tls" x="3" y="{top - 18:g}" width="{WIDTH - 6}" height="{bottom - top + 54:g}" rx="10"/>'
        yield _lock(16, bottom + 7)
        yield _text(38, bottom + 20, "TLS protects all of it on its way", "note")
    yield f'<rect class="envelope" x="10" y="{top:g}" width="{WIDTH - 20}" height="{bottom - top:g}" rx="4"/>'
    yield _text(_LEFT, top + 19, "Header", "zone")
    yield f'<path class="rule" d="M10 {header_end:g}H{WIDTH - 10}"/>'
    yield _text(_LEFT, header_end + 20, "Content", "zone")


def _row(row: Row, y: float, number: int) -> Iterator[str]:
    fill = f' fill="url(#hatch-{number})"' if row.encrypted else ""
    kind = "hidden" if row.encrypted else "row"
    size = f'x="{_LEFT}" y="{y:g}" width="{_ROW_WIDTH}" height="{_ROW_HEIGHT}" rx="3"'
    yield f'<rect class="{kind}" {size}{fill}/>'
    yield _text(_LEFT + 10, y + (17 if row.note else 26), row.name, "name")
    if row.note:
        yield _text(_LEFT + 10, y + 33, row.note, "note")
    if row.encrypted:
        yield _lock(_LEFT + _ROW_WIDTH + 12, y + _ROW_HEIGHT / 2 - 8)


def _brackets(centres: list[tuple[Row, float]], signatures: int) -> Iterator[str]:
    """For each signature a line along what it covers, with a dot at each row and its number at the top."""
    for number in range(1, signatures + 1):
        x = 48 - 20 * (number - 1)
        covered = [centre for row, centre in centres if number in row.signed]
        if not covered:
            continue
        yield f'<path class="sign sign-{number}" d="M{x} {covered[0]:g}V{covered[-1]:g}"/>'
        for centre in covered:
            yield f'<path class="sign sign-{number}" d="M{x} {centre:g}H{_LEFT - 2}"/>'
            yield _disc(x, centre, number)


def _disc(x: float, y: float, number: int) -> str:
    return f'<circle class="disc disc-{number}" cx="{x:g}" cy="{y:g}" r="8"/>' + _text(
        x, y + 4, str(number), "digit middle"
    )


def _lock(x: float, y: float) -> str:
    return (
        f'<path class="shackle" d="M{x + 3:g} {y + 8:g}v-3a4 4 0 0 1 8 0v3"/>'
        f'<rect class="lock" x="{x:g}" y="{y + 7:g}" width="14" height="10" rx="2"/>'
    )


def _legend(drawn: Outline, y: float) -> tuple[list[str], float]:
    """What the signs mean in this message; and where it ends."""
    parts: list[str] = []
    told = [(number, f"Signed {key}") for number, key in enumerate(drawn.signatures, 1)]
    told += [(0, drawn.encryption)] if drawn.encryption else []
    told += [(-1, drawn.order)] if drawn.order else []
    most = int((WIDTH - 44) / (_LEGEND_SIZE * _LETTER))
    for number, sentence in told:
        if number > 0:
            parts.append(_disc(20, y + 8, number))
        elif number == 0:
            parts.append(_lock(13, y - 1))
        for line in wrap(sentence, most):
            parts.append(_text(38, y + 12, line, "legend"))
            y += 17
        y += 7
    return parts, y + 2


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(text)}</text>'
