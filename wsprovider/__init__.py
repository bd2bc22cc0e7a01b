"""wsprovider: WS-Security protected SOAP services in Python.

What is named here is what users may rely on. The names are loaded when they are asked for, so that a
part of the package can be used without Spyne being imported.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from wsprovider.version import __version__

if TYPE_CHECKING:
    from wsprovider.exchange.principal import Principal, Proof
    from wsprovider.server.application import Provider
    from wsprovider.server.caller import Caller
    from wsprovider.server.create import create_app, secure
    from wsprovider.server.declared import Service
    from wsprovider.words.errors import BackendError, ConfigurationError, WSSecurityError
    from wsprovider.words.reasons import Reason

__all__ = [
    "BackendError",
    "Caller",
    "ConfigurationError",
    "Principal",
    "Proof",
    "Provider",
    "Reason",
    "Service",
    "WSSecurityError",
    "__version__",
    "create_app",
    "secure",
]

_HOMES: Final = {
    "BackendError": "wsprovider.words.errors",
    "Caller": "wsprovider.server.caller",
    "ConfigurationError": "wsprovider.words.errors",
    "Principal": "wsprovider.exchange.principal",
    "Proof": "wsprovider.exchange.principal",
    "Provider": "wsprovider.server.application",
    "Reason": "wsprovider.words.reasons",
    "Service": "wsprovider.server.declared",
    "WSSecurityError": "wsprovider.words.errors",
    "create_app": "wsprovider.server.create",
    "secure": "wsprovider.server.create",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
