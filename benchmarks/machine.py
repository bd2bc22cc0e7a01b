"""What a figure was measured on; without it no figure means anything."""

import os
import platform
import ssl
import sys
from datetime import UTC, datetime
from importlib.metadata import version

from lxml import etree


def describe() -> str:
    """One line on the interpreter, the libraries that do the work, and the machine's load."""
    libxml2 = ".".join(str(part) for part in etree.LIBXML_VERSION)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return (
        f"{datetime.now(UTC):%Y-%m-%d}  {platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"load {load:.1f}; Python {platform.python_version()}, lxml {version('lxml')} (libxml2 {libxml2}), "
        f"cryptography {version('cryptography')}, {ssl.OPENSSL_VERSION}, "
        f"GIL {'on' if getattr(sys, '_is_gil_enabled', lambda: True)() else 'off'}"
    )
