"""The page of one endpoint, and the list of endpoints, as HTML that is well-formed XML, too.

Every name and every text that was not written in this package goes through :func:`_text`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from itertools import count
from typing import Final

from wsprovider.keyring.material import Certificate
from wsprovider.policy.requirements import Requirements
from wsprovider.server.pages import words
from wsprovider.server.pages.facts import ADDRESS, Facts, Parameter
from wsprovider.server.pages.layout import outline
from wsprovider.server.pages.peers import Peer, peers
from wsprovider.server.pages.picture import picture
from wsprovider.server.pages.style import SCRIPT, STYLE
from wsprovider.words.printable import printable

_HEAD: Final = (
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
    '<meta name="robots" content="noindex"/><link rel="icon" href="data:,"/>'
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate of the service as a page shows it.

    Attributes:
        state: whether it is in use.
        use: what clients need it for.
    """

    certificate: Certificate
    state: str
    use: str


def page(facts: Facts, certificates: Sequence[Shown]) -> str:
    """An endpoint's page, with :data:`~wsprovider.server.pages.facts.ADDRESS` where its URL goes.

    Args:
        facts: of the endpoint.
        certificates: of the service.
    """
    return "".join(_page(facts, certificates))


def index(listed: Iterable[tuple[str, Facts]]) -> str:
    """The list of endpoints.

    Args:
        listed: for each the link to it, and its facts.
    """
    rows = "".join(
        f'<tr><td><a href="{_text(link)}">{_text(facts.name)}</a></td><td>{_text(words.summary(facts.ways))}</td></tr>\n'
        for link, facts in listed
    )
    return (
        f"{_HEAD}<title>SOAP services</title><style>{STYLE}</style></head><body>\n"
        "<header><h1>SOAP services</h1><p class='lead'>Each address has a page that says how to call it.</p></header>\n"
        f"<table><thead><tr><th>Endpoint</th><th>Messages</th></tr></thead><tbody>\n{rows}</tbody></table>\n"
        "</body></html>\n"
    )


def _page(facts: Facts, certificates: Sequence[Shown]) -> Iterator[str]:
    yield f"{_HEAD}<title>{_text(facts.name)}</title><style>{STYLE}</style></head><body>\n"
    yield f"<header><h1>{_text(facts.name)}</h1>\n"
    yield f'<p class="lead">SOAP 1.1 and 1.2. {_text(words.summary(facts.ways))}.</p></header>\n'
    yield f'<p>Messages are sent by POST to <span class="address">{ADDRESS}</span></p>\n'
    yield '<p class="links"><a href="?wsdl">WSDL, with the policy</a>'
    yield '<a href="?certificate">Certificate (PEM)</a></p>\n' if facts.certified else "</p>\n"
    numbers = count(1)
    for number, way in enumerate(facts.ways, 1):
        yield from _way(facts, way, number, numbers)
    yield from _operations(facts)
    if facts.certified:
        yield from _certificates(certificates)
    yield "<h2>Client configuration</h2>\n"
    yield "<p>What begins with <code>your-</code> is to be replaced; files are those of your own keys.</p>\n"
    texts = count(1)
    for peer in peers(facts):
        yield from _peer(peer, texts)
    yield f"<script>{SCRIPT}</script></body></html>\n"


def _way(facts: Facts, way: Requirements, number: int, pictures: Iterator[int]) -> Iterator[str]:
    of = facts.of[number - 1]
    what = f"calls of {', '.join(of)}" if of else "messages"
    several = facts.of.count(of) > 1
    heading = f"How {what} are protected{f', way {number}' if several else ''}"
    yield f"<h2>{_text(heading)}</h2>\n"
    if facts.scenario is not None and facts.usual[number - 1]:
        yield f"<p>Scenario <code>{_text(facts.scenario)}</code></p>\n"
    for section in words.sections(way):
        yield f"<h3>{_text(section.heading)}</h3>\n" if section.heading else ""
        told = "".join(f"<li>{_text(sentence)}</li>\n" for sentence in section.sentences)
        yield f'<ul class="words">{told}</ul>\n'
        if section.shown is not None:
            yield from _pictures(section.shown, pictures, opening=section.opens)
    yield "<h3>Algorithms</h3>\n"
    methods = (("Suite", way.request.suite.name), *words.algorithms(way).items())
    yield f"<dl>{''.join(f'<dt>{_text(name)}</dt><dd>{_text(value)}</dd>' for name, value in methods)}</dl>\n"


def _pictures(way: Requirements, pictures: Iterator[int], *, opening: bool) -> Iterator[str]:
    contents = ("asks for a context", "brings the context") if opening else ("the operation", "its result")
    yield '<div class="pictures">\n'
    for wanted, title, content in zip((way.request, way.reply), ("Request", "Reply"), contents, strict=True):
        drawn = picture(outline(wanted, content), next(pictures), title)
        yield f"<figure><figcaption>{title}</figcaption>{drawn}</figure>\n"
    yield "</div>\n"


def _operations(facts: Facts) -> Iterator[str]:
    yield "<h2>Operations</h2>\n<table><thead><tr><th>Operation</th><th>Takes</th><th>Returns</th></tr></thead><tbody>\n"
    for one in facts.operations:
        note = f"<br/>{_text(one.note)}" if one.note else ""
        note += (
            "<br/>unprotected: for messages without a Security header"
            if one.name in facts.unprotected
            else ""
        )
        returns = "nothing: one-way" if one.one_way else _parameters(one.results)
        yield f"<tr><td><code>{_text(one.name)}</code>{note}</td><td>{_parameters(one.parameters)}</td><td>{returns}</td></tr>\n"
    yield "</tbody></table>\n"


def _parameters(parameters: Iterable[Parameter]) -> str:
    return (
        "<br/>".join(f"<code>{_text(one.name)}</code>: {_text(one.type)}" for one in parameters) or "nothing"
    )


def _certificates(certificates: Sequence[Shown]) -> Iterator[str]:
    yield "<h2>Certificate of the service</h2>\n"
    yield '<p>Compare the fingerprint with one that you were told on another way. <a href="?certificate">PEM</a></p>\n'
    for one in certificates:
        certificate = one.certificate
        parsed = certificate.parsed
        told = (
            ("State", one.state),
            ("For", one.use),
            ("Subject", printable(certificate.subject)),
            ("Issuer", printable(parsed.issuer.rfc4514_string())),
            ("Serial number", f"{certificate.serial:x}"),
            ("Valid", f"{_date(parsed.not_valid_before_utc)} to {_date(parsed.not_valid_after_utc)}"),
            ("SHA-256", _grouped(certificate.fingerprint)),
            ("SHA-1 (thumbprint)", _grouped(certificate.thumbprint_sha1.hex())),
        )
        yield f"<dl>{''.join(f'<dt>{name}</dt><dd>{_text(value)}</dd>' for name, value in told)}</dl>\n"


def _peer(peer: Peer, texts: Iterator[int]) -> Iterator[str]:
    if peer.why_not is not None:
        yield f'<p class="not"><strong>{_text(peer.name)}</strong>: {_text(peer.why_not)}</p>\n'
        return
    yield f"<details><summary>{_text(peer.name)}</summary>\n"
    yield from (f"<p>{_text(note)}</p>\n" for note in peer.notes)
    for one in peer.snippets:
        key = f"text-{next(texts)}"
        yield f'<div class="snippet"><div class="file"><span>{_text(one.name)}</span>'
        yield f'<button type="button" hidden="hidden" data-copies="{key}">Copy</button></div>'
        yield f'<pre id="{key}" tabindex="0">{_text(one.text)}</pre></div>\n'
    yield "</details>\n"


def _date(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _grouped(digits: str) -> str:
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def _text(text: str) -> str:
    """Text as it may stand anywhere in the page, attributes in double quotes included."""
    kept = "".join(one if one in "\n\t" or one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
    return escape(kept)
