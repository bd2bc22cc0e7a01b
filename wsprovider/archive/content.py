"""What is sealed in a record: facts as JSON, and octets beside them that JSON would only blow up.

Four octets with the length of the JSON text, the text, and the parts one after the other; the text names each part
and its length. ``v`` says which form the facts have.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any, Final

_LENGTH: Final = struct.Struct(">I")
_FORM: Final = 1
_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"))

Facts = dict[str, Any]


def pack(facts: Facts, parts: Mapping[str, bytes]) -> bytes:
    """Facts and parts as one string of octets; the same for the same."""
    lengths = [[name, len(octets)] for name, octets in parts.items()]
    text = _ENCODER.encode({**facts, "v": _FORM, "parts": lengths}).encode()
    return b"".join((_LENGTH.pack(len(text)), text, *parts.values()))


def unpack(octets: bytes) -> tuple[Facts, dict[str, bytes]]:
    """The way back.

    Raises:
        ValueError: it was written by another version, or is something else.
    """
    try:
        (length,) = _LENGTH.unpack_from(octets)
        place = _LENGTH.size + length
        facts = json.loads(octets[_LENGTH.size : place])
        form, lengths = facts.pop("v"), facts.pop("parts")
    except (struct.error, KeyError, TypeError, AttributeError) as error:
        raise ValueError("is no content of a record") from error
    if form != _FORM:
        raise ValueError(f"has the form {form}, and this version reads {_FORM}: use a newer wsprovider")
    parts = {}
    for name, size in lengths:
        parts[name] = octets[place : place + size]
        place += size
    if place != len(octets):
        raise ValueError("is longer or shorter than it says")
    return facts, parts
