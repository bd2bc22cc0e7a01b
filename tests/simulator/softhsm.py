"""A token in a folder of the test's own: SoftHSM 2, from Debian's package softhsm2."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "246824"


def require_softhsm() -> None:
    """Skip by name where there is no SoftHSM (``REQUIRE_LIVE`` makes every skip a failure)."""
    if shutil.which("softhsm2-util") is None or not Path(MODULE).exists():
        pytest.skip("SoftHSM is not here: apt-get install softhsm2", allow_module_level=True)
    pytest.importorskip("pkcs11", reason="python-pkcs11 is not here: the extra pkcs11")


class Tokens:
    """Tokens of one ``softhsm2.conf``.

    Attributes:
        environ: what a process needs in its environment; SoftHSM reads it when it is opened.
    """

    def __init__(self, folder: Path, *labels: str) -> None:
        folder.mkdir(parents=True)
        (folder / "tokens").mkdir()
        self.folder = folder
        configuration = folder / "softhsm2.conf"
        configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
        self.environ: Mapping[str, str] = {"SOFTHSM2_CONF": str(configuration)}
        for label in labels:
            self.add_token(label)

    def add_token(self, label: str) -> None:
        """Make a token; there may be several of one name."""
        self._util("--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", PIN)

    def add_key(self, token: str, label: str, key: Any, identifier: str = "0a1b") -> None:
        """Bring a key of `cryptography`'s into a token."""
        file = self.folder / "import.pem"
        file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        more = ["--force"]  # ids may repeat
        self._util(
            "--import", str(file), "--token", token, "--label", label, "--id", identifier, "--pin", PIN, *more
        )
        file.unlink()

    def generate(self, token: str, label: str, **private: object) -> rsa.RSAPublicKey:
        """Have a token make an RSA key; ``private`` are attributes of the private one, by their names."""
        import pkcs11

        from wsprovider.adapters.keys.token_module import module_at

        module_at(MODULE)._close()  # one login at a time
        library = pkcs11.lib(MODULE)
        try:
            session = library.get_token(token_label=token).open(rw=True, user_pin=PIN)
            template = {pkcs11.Attribute[name]: value for name, value in private.items()}
            public, _ = session.generate_keypair(
                pkcs11.KeyType.RSA, 2048, store=True, label=label, private_template=template
            )
            numbers = (public[pkcs11.Attribute.PUBLIC_EXPONENT], public[pkcs11.Attribute.MODULUS])
            return rsa.RSAPublicNumbers(*(int.from_bytes(one, "big") for one in numbers)).public_key()
        finally:
            library.finalize()

    def lose(self) -> None:
        """Take the tokens away from under whoever uses them."""
        shutil.rmtree(self.folder / "tokens")
        (self.folder / "tokens").mkdir()

    def _util(self, *arguments: str) -> None:
        done = subprocess.run(
            ["softhsm2-util", *arguments],
            env={**os.environ, **self.environ},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr or done.stdout
