"""Which addresses are this machine's own, and what is said when development keys are on another one."""

import ipaddress
from pathlib import Path


def loopback(host: str) -> bool:
    """Whether only this machine can reach an address that is bound."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def development_warning(keys: Path, host: str) -> str:
    """The sentence for development keys on an address that is no loopback."""
    return (
        f"development keys in {keys} are served on {host or 'every address'}: everybody knows their passwords, "
        "and can be the service or any of its clients"
    )
