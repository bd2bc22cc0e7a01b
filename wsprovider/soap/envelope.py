"""The SOAP envelope of one message: fixed places, one Body, the one Security header meant for us.

SOAP 1.1 section 4 and SOAP 1.2 part 1 section 5. In comes a parsed tree that nobody vouches for; on
return its frame is known: which children are header blocks, which of them address us, which element
is the Body. Nothing is searched for by name anywhere else in the document, and nothing about
security is decided here.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from lxml import etree

from wsprovider.soap.version import SOAP_VERSIONS, SoapVersion
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import SoapError, SoapFault, WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

SECURITY: Final = f"{{{ns.WSSE}}}Security"
ENCRYPTED_HEADER: Final = f"{{{ns.WSSE11}}}EncryptedHeader"
_ADDRESSING: Final = (f"{{{ns.WSA_200508}}}", f"{{{ns.WSA_200408}}}")
_BLANK: Final = " \t\r\n"
_USUAL: Final = Limits()


@dataclass(frozen=True, slots=True, eq=False)
class Envelope:
    """The frame of a message.

    Attributes:
        version: of SOAP.
        root: the Envelope element.
        header: the Header element, if there is one.
        blocks: the header blocks that address us, in order.
        body: the Body element.
        security: the one Security header that addresses us, if there is one.
    """

    version: SoapVersion
    root: etree._Element
    header: etree._Element | None
    blocks: tuple[etree._Element, ...]
    body: etree._Element
    security: etree._Element | None

    @property
    def payload(self) -> etree._Element | None:
        """The Body's first child."""
        return self.body[0] if len(self.body) else None


def read(root: etree._Element, expected: SoapVersion, limits: Limits = _USUAL) -> Envelope:
    """Find the frame, or refuse.

    Raises:
        SoapError: SOAP_VERSION, SOAP_STRUCTURE, TOO_MANY_HEADER_BLOCKS, NOT_UNDERSTOOD.
        WSSecurityError: SEVERAL_SECURITY_HEADERS.
    """
    namespace, _, name = root.tag[1:].rpartition("}")
    version = SOAP_VERSIONS.get(namespace)
    if version is None or version is not expected or name != "Envelope":
        raise SoapError(SoapFault.VERSION_MISMATCH, Reason.SOAP_VERSION, root.tag)
    body_tag, header_tag = f"{{{namespace}}}Body", f"{{{namespace}}}Header"
    children = list(root)
    header = children.pop(0) if children and children[0].tag == header_tag else None
    if len(children) != 1 or children[0].tag != body_tag:
        raise _structure("Envelope holds an optional Header, then one Body, and nothing else")
    body = children[0]
    _no_text(root)
    if len(body) > 1:
        raise _structure("the Body holds more than one element")
    _no_text(body)
    blocks: list[etree._Element] = []
    security: etree._Element | None = None
    if header is not None:
        if len(header) > limits.header_blocks:
            detail = f"more than {limits.header_blocks}"
            raise SoapError(SoapFault.CLIENT, Reason.TOO_MANY_HEADER_BLOCKS, detail)
        _no_text(header)
        for block in header:
            if not _addresses_us(block, version):
                continue
            blocks.append(block)
            if block.tag == SECURITY:
                if security is not None:
                    raise WSSecurityError(Reason.SEVERAL_SECURITY_HEADERS)
                security = block
    return Envelope(version, root, header, tuple(blocks), body, security)


def check_understood(envelope: Envelope, understood: Collection[str] = ()) -> None:
    """Refuse a header block that addresses us, must be understood, and is not.

    Args:
        understood: Clark names of further header blocks that the application understands.

    Raises:
        SoapError: NOT_UNDERSTOOD (SOAP 1.1 section 4.2.3, SOAP 1.2 part 1 section 2.4).
    """
    version = envelope.version
    attribute = f"{{{version.namespace}}}mustUnderstand"
    for block in envelope.blocks:
        value = block.get(attribute)
        if value is None or value in version.must_understand_false:
            continue
        if value not in version.must_understand_true:
            raise _structure("mustUnderstand is no boolean")
        tag = block.tag
        if tag in (SECURITY, ENCRYPTED_HEADER) or tag.startswith(_ADDRESSING) or tag in understood:
            continue
        raise SoapError(SoapFault.MUST_UNDERSTAND, Reason.NOT_UNDERSTOOD, tag)


def _addresses_us(block: etree._Element, version: SoapVersion) -> bool:
    if not block.tag.startswith("{"):
        raise _structure("a header block has no namespace")
    role = block.get(f"{{{version.namespace}}}{version.role_attribute}")
    return role is None or not role or role in version.own_roles


def _no_text(element: etree._Element) -> None:
    """White space is all that may stand between the children."""
    text = element.text
    if text and text.strip(_BLANK):
        raise _structure("text where elements belong")
    for child in element:
        tail = child.tail
        if tail and tail.strip(_BLANK):
            raise _structure("text where elements belong")


def _structure(detail: str) -> SoapError:
    return SoapError(SoapFault.CLIENT, Reason.SOAP_STRUCTURE, detail)
