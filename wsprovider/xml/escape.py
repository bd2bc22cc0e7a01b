"""Escaping as canonical form has it (Canonical XML 1.0, section 2.3)."""

from typing import Final

_TEXT: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})
_ATTRIBUTE: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"}
)


def escape_text(value: str) -> str:
    """Character data of a text node."""
    return value.translate(_TEXT)


def escape_attribute(value: str) -> str:
    """The value of an attribute that stands in double quotes."""
    return value.translate(_ATTRIBUTE)
