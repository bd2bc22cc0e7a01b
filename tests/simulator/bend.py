"""The self-test's changes of genuine messages, with the prefix that the tests' own service has in paths.

::

    forged = bend(exchange.request, lambda root: set_text(one(root, "//e:text"), "forged"))
    signed = bend(exchange.request, remove("//wsu:Timestamp"), resign(secret=secret_of(pending)))
"""

from wsprovider.attack.bend import (
    BODY,
    HEADER,
    NS,
    SECURITY,
    SIGNATURE,
    TIMESTAMP,
    WSU_ID,
    Change,
    attribute,
    bend,
    changes,
    duplicate,
    element,
    every,
    flip,
    ids,
    insert,
    move,
    one,
    remove,
    replace,
    text,
    tree,
)
from wsprovider.attack.forge import plaintext_of, reencrypt, resign, sealed, secret_of, sign_also

__all__ = [
    "BODY",
    "HEADER",
    "NS",
    "SECURITY",
    "SIGNATURE",
    "TIMESTAMP",
    "WSU_ID",
    "Change",
    "attribute",
    "bend",
    "changes",
    "duplicate",
    "element",
    "every",
    "flip",
    "ids",
    "insert",
    "move",
    "one",
    "plaintext_of",
    "reencrypt",
    "remove",
    "replace",
    "resign",
    "sealed",
    "secret_of",
    "sign_also",
    "text",
    "tree",
]
NS["e"] = "urn:wsprovider:echo"
