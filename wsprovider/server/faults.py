"""Faults that a service raises, as SOAP 1.1 section 4.4 and SOAP 1.2 part 1 section 5.4 write them.

Stock Spyne glues the envelope's prefix to whatever the service named, so that ``wsse:FailedCheck``
becomes ``soap11env:wsse:FailedCheck``, and raises TypeError out of the server for any code of SOAP 1.2
that begins neither with Client nor with Server. A declared fault class puts its members beside
faultcode instead of into detail.
"""

import re
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree
from spyne.model.fault import Fault
from spyne.util.etreeconv import root_dict_to_etree

from wsprovider.soap.version import SoapVersion
from wsprovider.words import namespaces as ns

INTERNAL_ERROR: Final = "Internal error"
"""All that a peer learns of an exception that is no Fault."""

_NCNAME: Final = re.compile(r"[A-Za-z_][\w.\-]*\Z")
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PREFIX: Final = "f"
_ENVELOPE_CODES: Final = frozenset({"VersionMismatch", "MustUnderstand"})
_SENDER: Final = frozenset({"Client", "Sender"})
_RECEIVER: Final = frozenset({"Server", "Receiver"})


class QNameFault(Fault):  # type: ignore[misc]
    """A fault whose code is a qualified name of the service's choice.

    SOAP 1.1 sends the name as faultcode; SOAP 1.2 sends it as the subcode of Sender or Receiver.
    """

    # The bare name "Fault", so that Spyne's table of fault classes by type name stays as it is.
    __type_name__ = "Fault"
    __namespace__ = Fault.__namespace__

    def __init__(
        self, namespace: str, name: str, text: str, *, client: bool = True, detail: Any = None
    ) -> None:
        """Make the fault.

        Args:
            namespace: of the code.
            name: of the code.
            text: the sentence for the caller.
            client: the caller's doing (Sender), or the service's (Receiver).
            detail: a dict, an element, or text.
        """
        super().__init__("Client" if client else "Server", text, detail=detail)
        self.code = (namespace, name)


@dataclass(frozen=True, slots=True)
class RenderedFault:
    """A Body with a Fault in it.

    Attributes:
        body: the Body element.
        exact: some text in it is a qualified name whose prefix canonical form would not keep.
    """

    body: etree._Element
    exact: bool


@dataclass(frozen=True, slots=True)
class _Code:
    """A fault's code: by whose doing, and the names of it that are not the envelope's."""

    client: bool
    standard: str | None
    names: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Words:
    """What a fault says to people."""

    text: str
    language: str
    actor: str


def render(fault: Any, version: SoapVersion, *, tns: str, detail: etree._Element | None) -> RenderedFault:
    """Write a Spyne Fault.

    Args:
        fault: what the service raised.
        version: of the request.
        tns: the namespace of codes that the service names without one.
        detail: the members of a declared fault class, if it has any.
    """
    code = _code_of(fault, tns)
    entries = [] if detail is None else [detail]
    entries += _detail(fault.detail)
    soap = version.namespace
    nsmap: dict[str, str] = {"soap": soap}
    if code.names:
        nsmap[_PREFIX] = code.names[0][0]
    body = etree.Element(f"{{{soap}}}Body", nsmap=nsmap)
    element = etree.SubElement(body, f"{{{soap}}}Fault")
    words = _Words(_clean(fault.faultstring), str(fault.lang or "en"), _clean(fault.faultactor or ""))
    if version.name == "1.1":
        exact = _write_11(element, code, words, entries)
    else:
        exact = _write_12(element, version, code, words, entries)
    return RenderedFault(body, exact or bool(entries))


def _write_11(element: etree._Element, code: _Code, words: _Words, entries: list[etree._Element]) -> bool:
    own = bool(code.names) and code.standard is None
    value = code.standard or ("Client" if code.client else "Server")
    if own:
        value = f"{_PREFIX}:{'.'.join(name for _, name in code.names)}"
    else:
        value = f"soap:{'.'.join((value, *(name for _, name in code.names)))}"
    etree.SubElement(element, "faultcode").text = value
    etree.SubElement(element, "faultstring").text = words.text
    if words.actor:
        etree.SubElement(element, "faultactor").text = words.actor
    if entries:
        etree.SubElement(element, "detail").extend(entries)
    return own


def _write_12(
    element: etree._Element,
    version: SoapVersion,
    code: _Code,
    words: _Words,
    entries: list[etree._Element],
) -> bool:
    soap = f"{{{version.namespace}}}"
    level = etree.SubElement(element, f"{soap}Code")
    standard = code.standard if code.standard not in (None, "Client", "Server") else None
    role = version.client_code if code.client else version.server_code
    etree.SubElement(level, f"{soap}Value").text = f"soap:{standard or role}"
    for _, name in code.names:
        level = etree.SubElement(level, f"{soap}Subcode")
        etree.SubElement(level, f"{soap}Value").text = f"{_PREFIX}:{name}"
    reason = etree.SubElement(element, f"{soap}Reason")
    etree.SubElement(reason, f"{soap}Text", {f"{{{ns.XML}}}lang": words.language}).text = words.text
    if words.actor:
        etree.SubElement(element, f"{soap}Role").text = words.actor
    if entries:
        etree.SubElement(element, f"{soap}Detail").extend(entries)
    return bool(code.names)


def _code_of(fault: Any, tns: str) -> _Code:
    """Read ``Client.NoSuchOrder`` and its relatives; a word that SOAP does not know is the service's."""
    own = getattr(fault, "code", None)
    client = str(fault.faultcode).split(".")[0] in _SENDER
    if isinstance(fault, QNameFault) and own is not None:
        namespace, name = own
        return _Code(client, None, ((namespace, name if _NCNAME.match(name) else "Fault"),))
    words = [word for word in re.split(r"[.:]", str(fault.faultcode)) if _NCNAME.match(word)]
    first = words[0] if words else "Server"
    if first in _SENDER or first in _RECEIVER:
        return _Code(client, "Client" if client else "Server", tuple((tns, word) for word in words[1:]))
    if first in _ENVELOPE_CODES:
        return _Code(client=True, standard=first, names=())
    return _Code(client=False, standard=None, names=tuple((tns, word) for word in words))


def _detail(detail: Any) -> list[etree._Element]:
    """What the service gave as detail, as detail entries; nothing of ours is ever added."""
    if detail is None:
        return []
    if isinstance(detail, etree._Element):
        copied = deepcopy(detail)
        copied.tail = None
        is_wrapper = etree.QName(copied).localname in ("detail", "Detail")
        return list(copied) if is_wrapper else [copied]
    if isinstance(detail, dict):
        return [root_dict_to_etree({key: value}) for key, value in detail.items()]
    entry = etree.Element("text")
    entry.text = _clean(detail)
    return [entry]


def _clean(text: Any) -> str:
    """Text that XML can carry; a service may well quote what it was given."""
    return _NOT_XML.sub("�", str(text))
