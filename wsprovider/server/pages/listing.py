"""The list of endpoints at ``/``, where the operator wants one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from wsprovider.server.endpoint import Endpoint, Reply
from wsprovider.server.pages import served
from wsprovider.server.pages.page import index


@dataclass(frozen=True, slots=True)
class Listing:
    """The list, made at start."""

    html: bytes
    text: bytes

    @classmethod
    def of(cls, endpoints: Iterable[Endpoint]) -> Self:
        """List the endpoints that have a page."""
        # relative links, so that they hold wherever the application is mounted
        listed = [(one.path.lstrip("/"), one.page.facts) for one in endpoints if one.page is not None]
        text = "".join(f"/{link}\n" for link, _ in listed)
        return cls(index(listed).encode("utf-8", "replace"), text.encode())

    def reply(self, environ: Mapping[str, Any]) -> Reply:
        """The answer to one reader."""
        if served.prefers_html(environ.get("HTTP_ACCEPT")):
            return Reply(200, served.HTML, self.html, served.PAGE_HEADERS)
        return Reply(200, "text/plain; charset=utf-8", self.text, served.TEXT_HEADERS)
