"""What may be said of the header in which a proxy passes on the certificate of its client."""

import re
from collections.abc import Sequence
from typing import Final

_NAME: Final = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")


def certificate_header_mistake(name: str, trusted_proxies: Sequence[str]) -> str | None:
    """What is wrong with ``client_certificate_header``, as a sentence; None: nothing.

    A name with an underscore is one that WSGI cannot tell from the same with dashes, which a proxy would have
    to strip as well.

    Args:
        name: of the header, such as ``Client-Cert`` (RFC 9440).
        trusted_proxies: networks whose word counts.
    """
    if _NAME.fullmatch(name) is None:
        return f'{name!r} is no name of letters, digits and single dashes; write "Client-Cert"'
    if not trusted_proxies:
        return "counts only from a proxy: name its address in trusted_proxies"
    return None
