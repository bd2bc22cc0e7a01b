"""Texts to copy: the programs of ``docs/peers`` (whose tests run them), with an endpoint's own names filled in.

``templates/`` holds them. A name such as ``@SERVICE@`` stands for a whole literal, quotes included, written for
the language around it, so that no name can end its string.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from wsprovider.server.pages.facts import Described, Facts, quoted, sample

_PLACE = re.compile(r"@([A-Z_]+)@")


@dataclass(frozen=True, slots=True)
class Snippet:
    """A text to copy, and what its file is called."""

    name: str
    text: str


@cache
def template(name: str) -> str:
    """One of the texts."""
    return files(__package__).joinpath("templates", f"{name}.txt").read_text(encoding="utf-8")


def program(facts: Facts, name: str) -> str:
    """A program whose strings are written as in Java, JavaScript, Python and C."""
    operation = first(facts)
    request = "" if operation is None else sample(facts, operation)
    action = "" if operation is None else operation.action
    values = {
        "NAMESPACE": literal(facts.namespace),
        "SERVICE": literal(facts.names.service),
        "PORT": literal(facts.names.port),
        "ACTION": literal(action),
        "REQUEST": literal(request),
        "CLIENT": client_class(facts),
    }
    return _filled(template(name), values)


def document(facts: Facts, name: str) -> str:
    """An XML document."""
    names = facts.names
    values = {
        "NAME": quoted(names.definitions),
        "NAMESPACE": quoted(facts.namespace),
        "SERVICE": quoted(names.service),
        "PORT": quoted(names.port),
        "BINDING": quoted(names.binding),
        "TNS_BINDING": quoted(f"tns:{names.binding}"),
        "PORT_TYPE": quoted(names.port_type),
        "TNS_PORT_TYPE": quoted(f"tns:{names.port_type}"),
        "CLIENT": client_class(facts),
    }
    return _filled(template(name), values)


def first(facts: Facts) -> Described | None:
    """The operation that programs call: the first that answers."""
    answering = [one for one in facts.operations if not one.one_way]
    return next(iter(answering or facts.operations), None)


def literal(text: str) -> str:
    """A string in double quotes, as Java, JavaScript, Python and C read it."""
    return json.dumps(text, ensure_ascii=False)


def client_class(facts: Facts) -> str:
    """A name for the program's class."""
    name = facts.names.service.removesuffix("Service")
    return f"{name}Client" if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) else "ServiceClient"


def _filled(text: str, values: dict[str, str]) -> str:
    return _PLACE.sub(lambda found: values[found[1]], text)
