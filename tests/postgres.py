"""A real PostgreSQL for tests, from Debian's package, in a folder of its own and on the loopback alone."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pg8000.dbapi
from tests.wire import free_port

PASSWORD = "correct horse/battery@staple"
"""Holds what a URL must escape."""

MISSING = "PostgreSQL is missing: its tests are SKIPPED. Install it with scripts/install-services (apt-get, as root)."


def find_programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, the newest there is."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


class Postgres:
    """A server that has been started; it refuses to run as root, so root runs it as somebody else."""

    def __init__(self, programs: Path) -> None:
        self.port = free_port()
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="parcours-postgres-"))
        self._as: dict[str, Any] = {}
        if os.getuid() == 0:
            somebody = _find_user("postgres", "nobody")
            os.chown(self._folder, somebody.pw_uid, somebody.pw_gid)
            self._as = {"user": somebody.pw_uid, "group": somebody.pw_gid, "extra_groups": []}
        secret = self._folder / "secret"
        secret.write_text(PASSWORD, "utf-8")
        secret.chmod(0o644)
        self._run("initdb", "-D", self._data, "-U", "reader", "-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync")
        self.start()

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} -k {self._folder} -c fsync=off -c TimeZone=Asia/Tokyo"
        self._run("pg_ctl", "-D", self._data, "-l", str(self._folder / "log"), "-w", "-o", options, "start")

    def stop(self) -> None:
        """Stop it at once, as a crash would."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")

    def remove(self) -> None:
        """Stop it and remove its folder."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, port: int | None = None) -> str:
        """Return a SQLAlchemy URL whose password is in the environment variable DB_PASSWORD."""
        return f"postgresql+pg8000://reader:${{DB_PASSWORD}}@127.0.0.1:{port or self.port}/postgres"

    def connect(self) -> pg8000.dbapi.Connection:
        """Return a connection of a writer."""
        return pg8000.dbapi.connect(
            "reader", host="127.0.0.1", port=self.port, database="postgres", password=PASSWORD, timeout=30
        )

    def run(self, *statements: str) -> None:
        """Run statements in one transaction."""
        connection = self.connect()
        try:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            connection.commit()
        finally:
            connection.close()

    def _run(self, program: str, *arguments: str) -> None:
        # Never a pipe: the server that pg_ctl leaves behind would hold it open.
        with (self._folder / f"{program}.log").open("w") as log:
            command = [str(self._programs / program), *arguments]
            done = subprocess.run(command, check=False, cwd=self._folder, stdout=log, stderr=log, **self._as)
        assert done.returncode == 0, f"{program}: {Path(log.name).read_text('utf-8')}"


def _find_user(*names: str) -> pwd.struct_passwd:
    for name in names:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise AssertionError(f"none of {names} is a user of this machine")
