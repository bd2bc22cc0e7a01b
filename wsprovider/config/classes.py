"""Loading a service folder's ``service.py``: the one place where configuration runs somebody's code.

The module gets a name of its own below no package, and its folder is on no search path: two services
may both have a ``model.py`` beside them and import it as ``from .model import Order``.
"""

import importlib.util
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from wsprovider.words.errors import ConfigurationError, Problem

LoadClasses = Callable[[Path, str], tuple[type, ...]]
"""Loads one ``service.py``, shown in messages under the given label; raises ConfigurationError."""


def import_classes(path: Path, label: str, *, base: type) -> tuple[type, ...]:
    """Import a ``service.py`` and return the service classes that it defines.

    Args:
        path: the file.
        label: how messages name it, such as ``services/echo/service.py``.
        base: Spyne's ``ServiceBase``. It is handed in because Spyne can only be imported after the
            server's shim is in place.

    Raises:
        ConfigurationError: the file is missing, fails while it runs, or defines no operation.
    """
    if not path.is_file():
        raise ConfigurationError(
            [Problem(label, "is missing; it holds the service's Spyne ServiceBase class")]
        )
    module = _run(path, label)
    classes = tuple(
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, base)
        and (value.__module__ == module.__name__ or value.__module__.startswith(f"{module.__name__}."))
    )
    if not classes:
        raise ConfigurationError([Problem(label, "defines no class derived from spyne.ServiceBase")])
    serving = tuple(cls for cls in dict.fromkeys(classes) if getattr(cls, "public_methods", None))
    if not serving:
        names = ", ".join(cls.__name__ for cls in classes)
        raise ConfigurationError([Problem(label, f"no operation in {names}: decorate methods with @rpc")])
    return serving


def _run(path: Path, label: str) -> ModuleType:
    # Spyne names the XML namespace of undeclared types after the module, so the name has to be stable.
    name = f"wsprovider_service_{re.sub(r'[^0-9A-Za-z]', '_', path.parent.name)}"
    for stale in [known for known in sys.modules if known == name or known.startswith(f"{name}.")]:
        del sys.modules[stale]
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=[str(path.parent)])
    if spec is None or spec.loader is None:
        raise RuntimeError(f"no loader for {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ConfigurationError([Problem(_line(error, path, label), _sentence(error))]) from error
    return module


def _line(error: Exception, path: Path, label: str) -> str:
    """File and line at which the service's own code failed: service.py, or a module beside it."""
    folder, place = path.parent, label
    spots = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        spots.append((error.filename, error.lineno))
    for file, line in spots:
        if Path(file).is_relative_to(folder):
            shown = f"{label.removesuffix(path.name)}{Path(file).relative_to(folder).as_posix()}"
            place = f"{shown}:{line}" if line else shown
    return place


def _sentence(error: Exception) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"cannot be imported: {type(error).__name__}{f': {text}' if text else ''}"
