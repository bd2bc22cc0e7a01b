"""What Spyne 2.14 needs to be imported by Python 3.12 and newer.

Spyne carries a copy of ``six`` whose importer of ``six.moves`` still speaks the protocol of Python 2
(``find_module``), which Python 3.12 no longer asks. The finder here answers for those names, and for
no others, by way of that old importer. Python 3.13 also lacks ``cgi``; the distribution
``legacy-cgi``, a dependency of ours there, brings it back.
"""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

_SIX: Final = "spyne.util.six"
_MOVES: Final = f"{_SIX}.moves"


class _MovesLoader(Loader):
    """Loads one name below ``six.moves`` through the importer that Spyne's copy of six made."""

    def __init__(self, importer: Any) -> None:
        self._importer = importer
        self._own_spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module: ModuleType = self._importer.load_module(spec.name)
        self._own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has just put its spec on what is often a module of the standard library
        # under its second name; that one keeps its own.
        if self._own_spec is not None:
            module.__spec__ = self._own_spec


class _MovesFinder(MetaPathFinder):
    """Finds ``spyne.util.six.moves`` and what is below it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname != _MOVES and not fullname.startswith(f"{_MOVES}."):
            return None
        importer = getattr(sys.modules.get(_SIX), "_importer", None)
        if importer is None or fullname not in importer.known_modules:
            return None
        return ModuleSpec(fullname, _MovesLoader(importer), is_package=importer.is_package(fullname))


def install() -> None:
    """Make Spyne importable; call it before the first ``import spyne``. Calling it again is harmless."""
    if sys.version_info >= (3, 12) and not any(isinstance(finder, _MovesFinder) for finder in sys.meta_path):
        sys.meta_path.append(_MovesFinder())
