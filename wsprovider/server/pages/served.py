"""A page as it is served: made once for each set of certificates, and with the address filled in for each reader.

Nothing here reads a store: the certificates are those of the key snapshot in force.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from typing import Any, Final
from urllib.parse import quote

from cryptography.hazmat.primitives.serialization import Encoding

from wsprovider.config.model import EndpointConfig
from wsprovider.keyring.lifecycle import PUBLISHED, KeyState
from wsprovider.keyring.ring import Purpose, RingKey, RingSnapshot
from wsprovider.policy.compile import Assignment
from wsprovider.ports import Clock
from wsprovider.server import reports
from wsprovider.server.invoker import Invoker
from wsprovider.server.pages.facts import ADDRESS, Facts, facts_of
from wsprovider.server.pages.page import Shown, page
from wsprovider.server.pages.style import CONTENT_SECURITY_POLICY
from wsprovider.server.wsdl import WsdlDocument

HTML: Final = "text/html; charset=utf-8"
PEM: Final = "application/x-pem-file"
TEXT_HEADERS: Final = (("Vary", "Accept"),)
PAGE_HEADERS: Final = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("Cache-Control", "no-cache"),
    *TEXT_HEADERS,
    ("Referrer-Policy", "no-referrer"),
)
PEM_HEADERS: Final = (
    ("Cache-Control", "no-cache"),
    ("Content-Disposition", 'attachment; filename="service.cert.pem"'),
)
_STATES: Final = {
    KeyState.ACTIVE: "in use",
    KeyState.PENDING: "the next one: what is encrypted to it can be read already",
}
_LONGEST_ACCEPT: Final = 500
"""Browsers send up to 200 characters; what takes long to read is not worth it."""
_WEIGHT: Final = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")
_SAFE: Final = "/:?#[]@!&*+,;=%~"
"""What an address keeps as it is; the rest, quotes of any language among it, is percent-encoded."""
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass
class ServicePage:
    """One endpoint's page and certificates.

    Attributes:
        facts: what it tells.
        document: the endpoint's WSDL, whose address is the page's, too.
        keys: the service's keys in force; None where clients need none of them.
    """

    facts: Facts
    document: WsdlDocument
    keys: Callable[[], RingSnapshot] | None
    clock: Clock
    _made: tuple[tuple[Shown, ...], tuple[bytes, ...]] | None = field(default=None, repr=False)

    def html(self, environ: Mapping[str, Any], *, secure: bool) -> bytes:
        """The page for one reader."""
        base = self.document.bases.of(environ, secure=secure)
        address = escape(quote(f"{base}{self.document.path}", safe=_SAFE))
        return address.encode().join(self._pieces())

    def pem(self) -> bytes:
        """The certificates to give out, the one in use first; empty where clients need none."""
        return b"".join(one.certificate.parsed.public_bytes(Encoding.PEM) for one in self._shown())

    def _pieces(self) -> tuple[bytes, ...]:
        shown = self._shown()
        made = self._made
        if made is None or made[0] != shown:
            text = page(self.facts, shown).encode("utf-8", "replace")
            made = self._made = shown, tuple(text.split(ADDRESS.encode()))
        return made[1]

    def _shown(self) -> tuple[Shown, ...]:
        if self.keys is None:
            return ()
        now = self.clock()
        given = [key for key in self.keys().ring.keys if key.lifespan.state(now) in PUBLISHED]
        given.sort(key=lambda key: key.lifespan.active_from or _LONG_AGO, reverse=True)
        given.sort(key=lambda key: key.lifespan.state(now) is KeyState.PENDING)
        return tuple(_show(key, key.lifespan.state(now)) for key in given)


def page_of(
    name: str,
    config: EndpointConfig,
    assignments: tuple[Assignment, ...],
    invoker: Invoker,
    document: WsdlDocument,
    keys: Callable[[], RingSnapshot],
) -> ServicePage | None:
    """An endpoint's page; None where its configuration wants none.

    Args:
        name: the endpoint's.
        assignments: the alternatives of its policies, and the operations that each is for.
        document: its WSDL.
        keys: its snapshot in force.
    """
    if not config.page:
        return None
    facts = facts_of(name, config, assignments, invoker.application, invoker.operations, document)
    return ServicePage(facts, document, keys if facts.certified else None, reports.now)


def prefers_html(accept: str | None) -> bool:
    """Whether an Accept header (RFC 9110, section 12.5.1) wants HTML rather than text."""
    if not accept or len(accept) > _LONGEST_ACCEPT:
        return False
    weights: dict[str, float] = {}
    for one in accept.lower().split(","):
        media, *parameters = (part.strip() for part in one.split(";"))
        given = [part for part in parameters if part.startswith("q=")]
        weight = _WEIGHT.fullmatch(given[0]) if given else None
        weights[media] = float(weight[1]) if weight else 0.0 if given else 1.0
    html = _wanted(weights, "text/html")
    return html[0] > 0 and html > _wanted(weights, "text/plain")


def _wanted(weights: Mapping[str, float], media: str) -> tuple[float, int]:
    """How much a type is wanted, and how expressly: the most specific range counts."""
    for rank, candidate in ((2, media), (1, "text/*"), (0, "*/*")):
        if candidate in weights:
            return weights[candidate], rank
    return 0.0, -1


def _show(key: RingKey, state: KeyState) -> Shown:
    uses = [
        *(["encrypting to the service"] if Purpose.DECRYPT in key.purposes else []),
        *(["checking what it signs"] if Purpose.SIGN in key.purposes else []),
    ]
    return Shown(key.pair.certificate, _STATES[state], " and ".join(uses))
