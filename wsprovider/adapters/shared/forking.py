"""Being told of forks: gunicorn loads an application once and then forks its workers.

Whoever holds what two processes must not share (a database connection, a lock that some thread of the
parent may hold, a random key) implements :class:`ForkAware` and calls :func:`watch` once.
"""

import os
from typing import Protocol
from weakref import WeakSet


class ForkAware(Protocol):
    """Called around ``os.fork``, in the thread that forks."""

    def before_fork(self) -> None:
        """Let go of what must not be open in two processes; in the parent."""
        ...

    def after_fork_in_parent(self) -> None:
        """Go on in the parent."""
        ...

    def after_fork_in_child(self) -> None:
        """Start afresh in the child, where no other thread exists yet.

        Forks that Python does not make itself may come without ``before_fork``.
        """
        ...


_watched: WeakSet[ForkAware] = WeakSet()


def watch(one: ForkAware) -> None:
    """Tell this object of forks as long as it lives."""
    _watched.add(one)


def watched(kind: type[ForkAware]) -> bool:
    """Whether this process has an object of that kind."""
    return any(isinstance(one, kind) for one in list(_watched))


def _before() -> None:
    for one in list(_watched):
        one.before_fork()


def _in_parent() -> None:
    for one in list(_watched):
        one.after_fork_in_parent()


def _in_child() -> None:
    for one in list(_watched):
        one.after_fork_in_child()


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
