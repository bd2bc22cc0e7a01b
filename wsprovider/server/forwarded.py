"""The client certificate in a header, as proxies that end TLS write it.

=====================  =============================================================================
``:MIIB...:``          RFC 9440 section 2.1: DER in base64 between colons
``-----BEGIN%20...``   PEM, percent-encoded (nginx's ``$ssl_client_escaped_cert``, load balancers of clouds),
                       or with blanks for its line ends (Apache httpd)
``MIIB...``            DER in base64 (HAProxy's ``ssl_c_der,base64``)
=====================  =============================================================================

They begin differently, so no setting has to tell them apart. All of them are one certificate and nothing else:
what two headers were joined to, by a comma, is none of these.
"""

import base64
import re
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_to_bytes

from wsprovider.keyring.material import Certificate
from wsprovider.server import log
from wsprovider.words.errors import WSSecurityError

_LONGEST: Final = 32_768
_PEM: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----[ \t\r\n]([A-Za-z0-9+/= \t\r\n]+)-----END CERTIFICATE-----[ \t\r\n]*"
)
_EMPTY: Final = frozenset({"", "::"})


@lru_cache(maxsize=256)
def forwarded_certificate(text: str) -> Certificate | None:
    """The certificate that a trusted proxy's header holds; None where its client showed none.

    What is in none of the forms is none either, and the operator is told of it: a client cannot bring that about.

    Args:
        text: the value of the header.
    """
    text = text.strip(" \t")
    if text in _EMPTY:
        return None
    try:
        return Certificate.from_der(_der(text))
    except (ValueError, WSSecurityError) as error:
        what = f"the client certificate that a proxy passes on cannot be read: {error}"
        log.requests.warning("%s", log.sentence(what[:300]))
        return None


def _der(text: str) -> bytes:
    """The octets of the certificate.

    Raises:
        ValueError: the text is in none of the three forms.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"more than {_LONGEST} characters")
    if text.startswith(":"):
        if len(text) < 2 or not text.endswith(":"):
            raise ValueError("it begins with a colon and does not end with one")
        return base64.b64decode(text[1:-1], validate=True)
    if text.startswith("-"):
        found = _PEM.fullmatch(unquote_to_bytes(text))
        if found is None:
            raise ValueError("it is not one certificate in PEM, percent-encoded")
        return base64.b64decode(b"".join(found[1].split()), validate=True)
    return base64.b64decode(text, validate=True)
