"""The roles that groups of an LDAP directory give."""

import re
from collections.abc import Iterator
from typing import Final

from wsprovider.adapters.users.directory import Directory, Found, escaped
from wsprovider.adapters.users.ldap_settings import Groups, LdapSettings
from wsprovider.words.errors import BackendError

_LEVELS: Final = 10
_MOST: Final = 1000
_ESCAPES: Final = re.compile(rb"\\([0-9A-Fa-f]{2})|\\(.)")


def roles_of(
    directory: Directory, settings: LdapSettings, name: str, dn: str, found: Found
) -> frozenset[str]:
    """The roles of a user.

    Args:
        name: what the user is called.
        dn: where the user stands.
        found: what the directory told of the user.

    Raises:
        BackendError: the directory did not answer, or not with everything.
    """
    groups = settings.groups
    if groups is None:
        return frozenset()
    if groups.member_of is not None:
        named = [_named(one) for one in found.texts(groups.member_of) if below(one, groups.base)]
    else:
        named = [(one.dn, set(one.texts(groups.name))) for one in _searched(directory, groups, name, dn)]
    given: set[str] = set()
    for group, names in named:
        given |= names if settings.roles is None else _mapped(settings, {*names, normal(group)})
    return frozenset(given)


def below(dn: str, base: str) -> bool:
    """Whether a distinguished name stands below another."""
    return normal(dn).endswith(f",{normal(base)}")


def normal(dn: str) -> str:
    """A distinguished name without what does not count, as directories write it: case, and spaces around."""
    return re.sub(r"\s*(?<!\\)([,=])\s*", r"\1", dn).strip().lower()


def _mapped(settings: LdapSettings, keys: set[str]) -> set[str]:
    mapping = settings.roles or {}
    return {role for key, roles in mapping.items() if {key, normal(key)} & keys for role in roles}


def _named(dn: str) -> tuple[str, set[str]]:
    """A group by its distinguished name alone: the first attribute of that is its name (RFC 4514, section 2)."""
    first = re.split(r"(?<!\\)[,+]", dn, maxsplit=1)[0].partition("=")[2].strip()
    octets = _ESCAPES.sub(lambda one: bytes.fromhex(one[1].decode()) if one[1] else one[2], first.encode())
    return dn, {octets.decode("utf-8", "replace")}


def _searched(directory: Directory, groups: Groups, name: str, dn: str) -> Iterator[Found]:
    """The groups that hold a user, and those that hold these."""
    members = [name if groups.by_name else dn]
    seen: set[str] = set()
    for _ in range(_LEVELS if groups.nested else 1):
        either = "".join(f"({groups.member}={escaped(one)})" for one in members)
        new = [
            one
            for one in directory.search(groups.base, f"(&{groups.filter}(|{either}))", [groups.name])
            if normal(one.dn) not in seen
        ]
        yield from new
        seen |= {normal(one.dn) for one in new}
        members = [one.dn for one in new]
        if not members:
            return
        if len(seen) > _MOST:
            raise BackendError(f"LDAP: a user is in more than {_MOST} groups")
