"""Names of Kerberos principals (RFC 4120, section 6.2)."""

import re
from dataclasses import dataclass
from typing import Final, Self

_NAMED: Final = re.compile(r"(?P<name>[^/@\\\x00-\x20]+(?:/[^/@\\\x00-\x20]+)*)@(?P<realm>[^/@\\\x00-\x20]+)")
_ESCAPES: Final = str.maketrans({
    "\\": "\\\\", "/": "\\/", "@": "\\@", "\t": "\\t", "\n": "\\n", "\b": "\\b", "\0": "\\0",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Principal:
    """A name in a realm; two are the same if realm and components are, to the letter.

    Attributes:
        components: ``HTTP`` and ``host`` of ``HTTP/host@REALM``.
        realm: ``REALM``.
    """

    components: tuple[str, ...]
    realm: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``component/component@REALM``; names that need escapes are not among ours.

        Raises:
            ValueError: it is not of that form.
        """
        found = _NAMED.fullmatch(text)
        if found is None:
            raise ValueError("a principal is written HTTP/host.example.com@REALM")
        return cls(tuple(found["name"].split("/")), found["realm"])

    @property
    def usual_salt(self) -> str:
        """What passwords are salted with unless the KDC says otherwise (RFC 4120, section 4)."""
        return self.realm + "".join(self.components)

    def __str__(self) -> str:
        name = "/".join(component.translate(_ESCAPES) for component in self.components)
        return f"{name}@{self.realm.translate(_ESCAPES)}"
