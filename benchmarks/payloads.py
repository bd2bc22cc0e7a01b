"""What the Bodies hold: a text, or rows of small elements, which are what canonical form pays for."""

from collections.abc import Callable

from lxml import etree

from tests.simulator.world import ECHO
from wsprovider.soap.version import SoapVersion

Payload = Callable[[SoapVersion, str], etree._Element]
"""Makes a Body whose only child has the given local name."""


def text(size: int) -> Payload:
    """One text of that many characters."""

    def make(soap: SoapVersion, name: str) -> etree._Element:
        body, payload = _body(soap, name)
        etree.SubElement(payload, f"{{{ECHO}}}text").text = "lorem ipsum " * (size // 12) + "x" * (size % 12)
        return body

    return make


def elements(size: int) -> Payload:
    """Rows of three small elements, about that many bytes of them."""
    number = max(1, size // 110)

    def make(soap: SoapVersion, name: str) -> etree._Element:
        body, payload = _body(soap, name)
        for index in range(number):
            row = etree.SubElement(payload, f"{{{ECHO}}}row", number=str(index))
            etree.SubElement(row, f"{{{ECHO}}}article").text = f"article {index:06d}"
            etree.SubElement(row, f"{{{ECHO}}}amount").text = f"{index % 97}.50"
        return body

    return make


def _body(soap: SoapVersion, name: str) -> tuple[etree._Element, etree._Element]:
    body = etree.Element(f"{{{soap.namespace}}}Body", nsmap={"s": soap.namespace, "e": ECHO})
    return body, etree.SubElement(body, f"{{{ECHO}}}{name}")
