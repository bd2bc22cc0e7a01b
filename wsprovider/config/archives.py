"""``archive`` and ``archive_days``: where a service's messages are kept, and for how long."""

from pathlib import Path
from typing import Final

from wsprovider.config.table import Table

_LONGEST: Final = 36_500


def read_archive(table: Table) -> tuple[str | None, int | None]:
    """The two lines of an endpoint, its service's counted in.

    Args:
        table: the endpoint's.
    """
    if table.raw("archive") is False:  # of one endpoint, where its service has an archive
        return None, None
    archive = table.text("archive")
    if "archive_days" not in table:
        return archive, None
    days = table.whole("archive_days", 1, lowest=1, highest=_LONGEST)
    if archive is None:
        table.problem("archive_days", "is to no effect: there is no archive; remove the line")
    return archive, days


def located(archive: str | None, project: Path) -> str | None:
    """The archive as servers and commands open it.

    Args:
        project: what a folder is relative to: the folder that holds the services folder.
    """
    return archive if archive is None or "://" in archive else str(project / archive)
