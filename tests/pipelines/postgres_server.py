"""A real PostgreSQL server that lives for the tests only; they skip where none is installed."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PASSWORD = "rt-S3kret-91"  # noqa: S105


@dataclass(frozen=True)
class Server:
    binaries: Path
    folder: Path

    def run(self, name: str, *arguments: str, text: str | None = None) -> None:
        """Run one of the server's programs, which refuse to run as root."""
        other: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []}
        with (self.folder / f"{name}.said").open("w+") as said:  # a pipe would stay open with the server
            done = subprocess.run(
                [self.binaries / name, *arguments],
                cwd=self.folder,
                input=text,
                stdout=said,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PGPASSWORD": PASSWORD},
                text=True,
                check=False,
                **(other if is_root() else {}),
            )
            said.seek(0)
            assert done.returncode == 0, said.read()

    def sql(self, text: str, database: str = "postgres") -> None:
        where = ("-h", str(self.folder), "-U", "owner", "-d", database)
        text = "set client_encoding to 'UTF8';\n" + text
        self.run("psql", "-q", "-v", "ON_ERROR_STOP=1", *where, "-f", "-", text=text)

    def address(self, user: str = "owner", password: str = PASSWORD, database: str = "postgres") -> str:
        return f"postgresql://{user}:{password}@/{database}?host={self.folder}"


def is_root() -> bool:
    return os.geteuid() == 0


def server_binaries() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in debian), key=lambda b: int(b.parent.name), default=None)


@pytest.fixture(name="server", scope="session")
def postgres_server() -> Iterator[Server]:
    binaries = server_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server is installed: initdb is not found")
    # Not under pytest's own folder: another user could not enter it, and a socket's path must be short.
    with tempfile.TemporaryDirectory(prefix="rt-pg-", ignore_cleanup_errors=True) as name:
        server = Server(binaries, Path(name))
        (server.folder / "password").write_text(PASSWORD)
        if is_root():
            shutil.chown(server.folder, "postgres", "postgres")
            shutil.chown(server.folder / "password", "postgres", "postgres")
        data = ("-D", str(server.folder / "data"))
        account = ("-U", "owner", "-A", "scram-sha-256", "--pwfile=password", "-E", "UTF8", "--locale=C")
        server.run("initdb", *data, *account, "--no-sync")
        options = f"-c listen_addresses='' -c fsync=off -k {server.folder}"
        server.run("pg_ctl", *data, "-w", "-l", "server.log", "-o", options, "start")
        try:
            yield server
        finally:
            server.run("pg_ctl", *data, "-w", "-m", "immediate", "stop")


@pytest.fixture(name="shop_db")
def address_in_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DB", server.address())
