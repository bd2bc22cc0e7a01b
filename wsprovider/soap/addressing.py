"""WS-Addressing headers, 2005/08 and 2004/08: read, checked, and answered.

WS-Addressing 1.0 Core and SOAP Binding. What the headers say steers nothing: the operation is the
Body's, the reply goes back on the connection. They are checked so that a message meant for somebody
else, or one that wants its answer sent elsewhere, is refused.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from lxml import etree

from wsprovider.soap.envelope import Envelope
from wsprovider.words import namespaces as ns
from wsprovider.words import uris
from wsprovider.words.errors import SoapError, SoapFault
from wsprovider.words.reasons import Reason

_LONGEST: Final = 2048
_PORTS: Final = {"http": 80, "https": 443}
_SINGLE: Final = frozenset({"To", "Action", "MessageID", "ReplyTo", "FaultTo", "From"})


@dataclass(frozen=True, slots=True)
class AddressingVersion:
    """One version of WS-Addressing: its namespace and its two special addresses."""

    namespace: str
    anonymous: str
    none: str | None
    fault_action: str


WSA_200508: Final = AddressingVersion(
    ns.WSA_200508, uris.WSA_200508_ANONYMOUS, uris.WSA_200508_NONE, uris.WSA_200508_SOAP_FAULT
)
WSA_200408: Final = AddressingVersion(ns.WSA_200408, uris.WSA_200408_ANONYMOUS, None, uris.WSA_200408_FAULT)
_VERSIONS: Final = {version.namespace: version for version in (WSA_200508, WSA_200408)}


@dataclass(frozen=True, slots=True)
class Addressing:
    """The addressing headers of one message."""

    version: AddressingVersion
    to: str | None
    action: str | None
    message_id: str | None
    relates_to: tuple[str, ...]
    reply_addresses: tuple[str, ...]


def read(envelope: Envelope) -> Addressing | None:
    """Read the addressing headers that address us; None when there are none.

    Raises:
        SoapError: ADDRESSING_HEADER for a second header of one kind, two versions together, or a
            value that is no plain text.
    """
    values: dict[str, str] = {}
    relates: list[str] = []
    replies: list[str] = []
    seen: set[str] = set()
    version: AddressingVersion | None = None
    for block in envelope.blocks:
        namespace, _, name = block.tag[1:].rpartition("}")
        found = _VERSIONS.get(namespace)
        if found is None:
            continue
        if version is not None and found is not version:
            raise _invalid("two versions of WS-Addressing")
        version = found
        if name in _SINGLE and name in seen:
            raise _invalid(f"two {name} headers")
        seen.add(name)
        if name in ("To", "Action", "MessageID"):
            values[name] = _text(block)
        elif name == "RelatesTo":
            relates.append(_text(block))
        elif name in ("ReplyTo", "FaultTo"):
            replies.append(_address(block, namespace))
    if version is None:
        return None
    return Addressing(
        version,
        values.get("To"),
        values.get("Action"),
        values.get("MessageID"),
        tuple(relates),
        tuple(replies),
    )


def check_request(addressing: Addressing, *, path: str, addresses: Collection[str]) -> None:
    """Refuse a request for somebody else, or one whose reply should go elsewhere.

    Args:
        path: of the endpoint; wsa:To must end with it.
        addresses: absolute URLs of the endpoint; when there are any, To must be one of them.

    Raises:
        SoapError: ADDRESSING_REPLY_TO, ADDRESSING_TO.
    """
    version = addressing.version
    for address in addressing.reply_addresses:
        if address not in (version.anonymous, version.none):
            raise SoapError(SoapFault.ONLY_ANONYMOUS, Reason.ADDRESSING_REPLY_TO, address)
    if addressing.to is not None and addressing.to != version.anonymous:
        check_address(addressing.to, path=path, addresses=addresses)


def check_address(address: str, *, path: str, addresses: Collection[str]) -> None:
    """Refuse an address that is not the endpoint's.

    Args:
        path, addresses: as for :func:`check_request`.

    Raises:
        SoapError: ADDRESSING_TO.
    """
    if address in addresses:
        return
    authority, called = _split(address)
    hosts = {_split(one)[0] for one in addresses}
    if not called.endswith(path) or (hosts and authority not in hosts):
        raise SoapError(SoapFault.DESTINATION_UNREACHABLE, Reason.ADDRESSING_TO, address)


def _split(url: str) -> tuple[tuple[str, int | None], str]:
    """Host and port of a URL, as RFC 3986 section 6.2 compares them, and its path.

    Raises:
        SoapError: ADDRESSING_TO for what is no URL.
    """
    try:
        split = urlsplit(url)
        port = split.port or _PORTS.get(split.scheme.lower())
    except ValueError:
        raise SoapError(SoapFault.DESTINATION_UNREACHABLE, Reason.ADDRESSING_TO, url) from None
    return ((split.hostname or "").lower(), port), split.path


def _text(block: etree._Element) -> str:
    value = (block.text or "").strip()
    if len(block) or not value or len(value) > _LONGEST or not value.isprintable():
        raise _invalid(block.tag)
    return value


def _address(block: etree._Element, namespace: str) -> str:
    found = [child for child in block if child.tag == f"{{{namespace}}}Address"]
    if len(found) != 1:
        raise _invalid(f"{block.tag} without one Address")
    return _text(found[0])


def _invalid(detail: str) -> SoapError:
    return SoapError(SoapFault.INVALID_ADDRESSING_HEADER, Reason.ADDRESSING_HEADER, detail)
