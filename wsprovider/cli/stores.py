"""The shared store of running servers, opened by a command that looks into it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from wsprovider.adapters.shared import open_store
from wsprovider.ports import SharedState
from wsprovider.words.errors import BackendError, ConfigurationError, Problem

_SQLITE: Final = "sqlite:///"
_MEMORY: Final = "memory: is the memory of each server process, and another command cannot see into it"

NOT_MEMORY: Final = (
    "memory: is the memory of each worker, and a message could be accepted once in each; write sqlite:///path or "
    "redis://host:port/number"
)


@contextmanager
def opened(url: str, instead: str) -> Iterator[SharedState]:
    """Open the store that servers have made.

    Args:
        url: of the store, as configured.
        instead: what to do about ``memory:``.

    Raises:
        ConfigurationError: the store is a process's memory.
        BackendError: the store did not answer, or there is none yet.
    """
    if url == "memory:":
        raise ConfigurationError([Problem("shared", f"{_MEMORY}: {instead}")])
    if url.startswith(_SQLITE):
        file = Path(url.removeprefix(_SQLITE)).absolute()
        if not file.exists():  # opening would make one, perhaps in a folder where no server looks
            raise BackendError(f"there is no shared store {file}: the server makes it when it starts")
    store = open_store(url)
    try:
        yield store
    finally:
        store.close()
