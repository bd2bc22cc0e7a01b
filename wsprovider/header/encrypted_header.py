"""wsse11:EncryptedHeader (SOAP Message Security 1.1, section 9.3): a header block, encrypted whole."""

from collections.abc import Mapping
from typing import Final

from wsprovider.words import namespaces as ns
from wsprovider.xml.escape import escape_attribute

_NAME: Final = "wsse11:EncryptedHeader"
_DECLARED: Final = f' xmlns:wsse11="{ns.WSSE11}"'


def write(
    identifier: str, encrypted: bytes, prefix: str, namespace: str, repeated: Mapping[str, str]
) -> bytes:
    """An EncryptedHeader in exclusive canonical form.

    Args:
        encrypted: the EncryptedData.
        prefix, namespace: of SOAP; the prefix must sort before ``wsse11``.
        repeated: SOAP's attributes of the block (role, mustUnderstand), in order of their names.
    """
    declared = f' xmlns:{prefix}="{namespace}"' if repeated else ""
    attributes = "".join(f' {prefix}:{name}="{escape_attribute(value)}"' for name, value in repeated.items())
    inner = encrypted.decode("ascii").replace(_DECLARED, "")  # declared around it
    return (
        f'<{_NAME}{declared}{_DECLARED} xmlns:wsu="{ns.WSU}" wsu:Id="{identifier}"{attributes}>'
        f"{inner}</{_NAME}>"
    ).encode()
