"""A project's folder with keys that a test may change, and the commands an operator changes them by."""

import shutil
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509

from wsprovider.adapters.keys import audit
from wsprovider.adapters.keys.folder import Loaded, load_snapshot
from wsprovider.adapters.shared import open_store
from wsprovider.cli.main import main
from wsprovider.exchange.sightings import Sightings
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.uses import Use
from wsprovider.words.limits import Limits

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class KeysSite:
    """Services, keys, and the store in which servers note what they have seen."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, keys: Path) -> "KeysSite":
        """A copy of keys, and the echo service in scenarios 2, 5 and 8."""
        shutil.copytree(keys, folder / "keys")
        service = folder / "services" / "echo"
        service.mkdir(parents=True)
        shutil.copy(ROOT / "services" / "echo" / "service.py", service)
        endpoints = "".join(f'[[endpoint]]\npath = "/{one}"\nscenario = "{one}"\n' for one in ("2", "5", "8"))
        (service / "service.toml").write_text(f'trust = ["clients"]\nusers = "users.toml"\n{endpoints}')
        (folder / "services" / "provider.toml").write_text(f'shared = "sqlite:///{folder}/seen.sqlite3"\n')
        site = cls(folder)
        site.watch(datetime.now(UTC) - timedelta(days=100))
        return site

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def ring(self) -> Path:
        return self.keys / "service"

    def run(self, *words: object) -> int:
        """A command with the folders, and with small keys; what it prints is left to capsys."""
        options = ["--services", self.folder / "services", "--keys", self.keys]
        if words[:2] == ("keys", "new") and "--kind" not in words:
            options += ["--kind", "rsa-2048"]
        return main([str(one) for one in (*words, *options)])

    def toml(self, name: str = "service/ring.toml") -> dict[str, Any]:
        return tomllib.loads((self.keys / name).read_text())

    def entry(self, name: str, kind: str = "key") -> dict[str, Any]:
        (found,) = (one for one in self.toml()[kind] if one["name"] == name)
        return found

    def loaded(self, now: datetime | None = None) -> Loaded:
        """What a server would load."""
        return load_snapshot(
            self.keys, "service", ["clients"], limits=Limits(), now=now or datetime.now(UTC), environ={}
        )

    def states(self) -> dict[str, str]:
        now = datetime.now(UTC)
        return {one.pair.name: one.lifespan.state(now).value for one in self.loaded().snapshot.ring.keys}

    def certificate(self, name: str) -> Certificate:
        return Certificate.from_x509(x509.load_pem_x509_certificate((self.ring / name).read_bytes()))

    def see(self, *uses: Use, at: datetime | None = None, service: str = "echo") -> None:
        """Have a server note uses."""
        store = open_store(f"sqlite:///{self.folder}/seen.sqlite3")
        Sightings(store, monotonic=lambda: 0.0).note(service, uses, at or datetime.now(UTC))
        store.close()

    def watch(self, since: datetime) -> None:
        """Have a server begin with a new store, which it has watched since then."""
        for file in self.folder.glob("seen.sqlite3*"):
            file.unlink()
        store = open_store(f"sqlite:///{self.folder}/seen.sqlite3")
        Sightings(store, monotonic=lambda: 0.0).begin(since)
        store.close()

    def audited(self) -> list[str]:
        """What the log says was done; it must hold together."""
        found = audit.verify(self.keys)
        assert found.findings == []
        return [sentence for entry in found.entries for sentence in entry.what]

    def files(self) -> dict[str, bytes]:
        """Every file, to see that nothing has changed."""
        return {
            str(one.relative_to(self.keys)): one.read_bytes()
            for one in sorted(self.keys.rglob("*"))
            if one.is_file() and one.name != ".lock"
        }
