"""Keys, certificates and trust in a file, so that another process of the same test has the same ones."""

import io
import pickle
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from wsprovider.keyring.material import Certificate
from wsprovider.keyring.ring import Ring
from wsprovider.keyring.trust import Trust

_PRIVATE = (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)


def _private_key(octets: bytes) -> Any:
    return load_der_private_key(octets, None)


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, Certificate):
            return Certificate.from_der, (value.der,)
        if isinstance(value, Ring):
            return Ring, (value.name, value.keys, value.assignments)
        if isinstance(value, Trust):
            return Trust, (value.groups, value._limits)
        if isinstance(value, _PRIVATE):
            octets = value.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            return _private_key, (octets,)
        return NotImplemented


def write(file: Path, value: object) -> None:
    """Put a value into a file, at once as a whole."""
    octets = io.BytesIO()
    _Pickler(octets).dump(value)
    staging = file.with_name(f"{file.name}.new")
    staging.write_bytes(octets.getvalue())
    staging.replace(file)


def read(file: Path) -> Any:
    """What is in the file."""
    return pickle.loads(file.read_bytes())
