"""The frame of an outgoing message: header blocks, the Security header and the Body, joined."""

from collections.abc import Sequence

from wsprovider.outbound.body import PREFIX, Body
from wsprovider.soap.version import SoapVersion
from wsprovider.words import namespaces as ns


def write_envelope(
    version: SoapVersion, body: Body, blocks: Sequence[bytes], children: Sequence[bytes]
) -> bytes:
    """The whole message.

    Args:
        blocks: header blocks other than wsse:Security.
        children: of wsse:Security, in their order; there is none when all are empty.
    """
    true = "1" if version.name == "1.1" else "true"
    security = b""
    if any(children):
        security = b"".join(
            (
                f'<wsse:Security xmlns:wsse="{ns.WSSE}" xmlns:wsu="{ns.WSU}"'
                f' {PREFIX}:mustUnderstand="{true}">'.encode("ascii"),
                *children,
                b"</wsse:Security>",
            )
        )
    return b"".join(
        (
            f'<{PREFIX}:Envelope xmlns:{PREFIX}="{version.namespace}"'.encode("ascii"),
            body.declarations,
            f"><{PREFIX}:Header>".encode("ascii"),
            *blocks,
            security,
            f"</{PREFIX}:Header>".encode("ascii"),
            body.start,
            body.content,
            body.end,
            f"</{PREFIX}:Envelope>".encode("ascii"),
        )
    )
