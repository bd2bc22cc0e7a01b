"""``[monitor]`` of ``provider.toml``: where a deployment tells of itself, apart from its services."""

import re
from dataclasses import dataclass
from typing import Final

from wsprovider.config.table import Table

OFF: Final = "off"

_BIND: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):([0-9]{1,5})")
_PORTS: Final = range(1, 65536)


@dataclass(frozen=True, slots=True)
class Monitor:
    """The monitor's bind.

    Attributes:
        host: an address or name; of this machine only, unless the operator says otherwise.
        port: 0 where there is no monitor.
    """

    host: str = "127.0.0.1"
    port: int = 9464

    @property
    def off(self) -> bool:
        """Whether there is none."""
        return self.port == 0

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return OFF if self.off else f"{host}:{self.port}"


def read_bind(text: str) -> Monitor:
    """What an operator wrote.

    Raises:
        ValueError: it is no bind; a sentence that says what to write.
    """
    if text == OFF:
        return Monitor(port=0)
    found = _BIND.fullmatch(text)
    if found is None or int(found[2]) not in _PORTS:
        raise ValueError(f'"{text}" is no bind: write an address and a port such as 127.0.0.1:9464, or off')
    return Monitor(found[1].strip("[]"), int(found[2]))


def read_monitor(table: Table) -> Monitor:
    """The table; without it, there is a monitor on the loopback interface."""
    table.only({"bind"}, meant="[monitor]")
    text = table.text("bind")
    if text is None:
        return Monitor()
    try:
        return read_bind(text)
    except ValueError as error:
        table.problem("bind", str(error))
        return Monitor()
