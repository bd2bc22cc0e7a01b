"""One service folder: ``service.py`` and ``service.toml``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wsprovider.config import endpoints
from wsprovider.config.classes import LoadClasses
from wsprovider.config.endpoints import ReadEndpoint, check_inherited, read_endpoint
from wsprovider.config.model import ServiceConfig
from wsprovider.config.problems import Problems
from wsprovider.config.table import Table

FILE: Final = "service.toml"
CODE: Final = "service.py"

_SERVICE_KEYS: Final = endpoints.KEYS | {"namespace", "endpoint"}


@dataclass(frozen=True, slots=True)
class ReadService:
    """A service as read; ``config`` is complete only when no problem was found."""

    config: ServiceConfig
    endpoints: tuple[ReadEndpoint, ...]


def read_service(folder: Path, label: str, load_classes: LoadClasses, problems: Problems) -> ReadService:
    """Read one folder.

    Args:
        folder: the service's folder; its name is the service's.
        label: how messages name it, such as ``services/echo``.
        load_classes: imports its ``service.py``.
        problems: takes whatever is wrong.
    """
    classes: tuple[type, ...] = ()
    with problems.collecting():
        classes = load_classes(folder / CODE, f"{label}/{CODE}")
    table = Table.from_file(folder / FILE, label=f"{label}/{FILE}", problems=problems)
    if table is None:
        return ReadService(ServiceConfig(folder.name, "", classes, ()), ())
    return read_table(table, folder, label, classes, problems)


def read_table(
    table: Table, folder: Path, label: str, classes: tuple[type, ...], problems: Problems
) -> ReadService:
    """Read a service from its table, wherever that came from.

    Args:
        table: the top table.
        folder: what policy documents are relative to; its name is the service's.
        label: how messages name the service.
        classes: its service classes.
        problems: takes whatever is wrong.
    """
    table.only(_SERVICE_KEYS, meant="a service")
    tables = table.tables("endpoint")
    for below in tables:
        below.only(endpoints.KEYS, meant="an [[endpoint]]")
    if tables and table.has_own("path"):
        table.problem("path", "belongs to each [[endpoint]], as this service lists several")
    read = tuple(
        endpoint
        for below in (tables if "endpoint" in table else (table,))
        if (endpoint := read_endpoint(below, folder, label, problems)) is not None
    )
    check_inherited(table, tables, read)
    config = ServiceConfig(
        name=folder.name,
        namespace=table.text("namespace") or f"urn:wsprovider:{folder.name}",
        service_classes=classes,
        endpoints=tuple(endpoint.config for endpoint in read if not endpoint.left_out),
    )
    return ReadService(config, read)


def check_paths(services: tuple[ReadService, ...]) -> None:
    """Note every path that two endpoints of the process share."""
    seen: dict[str, ReadEndpoint] = {}
    for service in services:
        for endpoint in service.endpoints:
            first = seen.setdefault(endpoint.config.path, endpoint)
            if first is not endpoint:
                endpoint.table.problem(
                    "path", f'"{endpoint.config.path}" is already served, see {first.table.where("path")}'
                )
