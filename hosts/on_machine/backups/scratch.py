"""A PostgreSQL of its own on this machine, restored from the repository and thrown away again.

It listens on a socket in its own folder alone, archives nothing, and shares neither a queue nor a
lock with the server beside it.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from .machine import IN_USE, fetching, pgbackrest, sql

BINARIES = Path("/usr/lib/postgresql/17/bin")
LONGEST = 6 * 3600
_SETTINGS = """\
listen_addresses = ''
unix_socket_directories = '{sockets}'
port = 5432
hba_file = '{folder}/hba.conf'
ident_file = '{folder}/ident.conf'
ssl = off
archive_mode = off
max_connections = 20
max_prepared_transactions = {prepared}
shared_buffers = 128MB
autovacuum = off
shared_preload_libraries = '{libraries}'
logging_collector = off
# It opens when it has reached its aim, not before: nothing of the leader's settings is needed.
hot_standby = off
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scratch:
    """The folder it lives in."""

    cluster: str
    folder: Path

    @property
    def data(self) -> Path:
        """Return its data folder."""
        return self.folder / "data"

    @property
    def sockets(self) -> str:
        """Return where it listens."""
        return str(self.folder / "run")

    def remove(self) -> None:
        """Leave nothing of it."""
        if (self.data / "postmaster.pid").exists():
            subprocess.run(self._control("stop", "--mode=immediate"), check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def restore(self, *aim: str, settings: str = IN_USE) -> None:
        """Copy the backup before ``aim`` (options of pgBackRest) from the repository."""
        self.remove()
        for place in (self.folder, self.data, Path(self.sockets)):
            place.mkdir(mode=0o700, parents=True)
        own = f"--pg1-path={self.data} --lock-path={self.folder}/lock --no-archive-async"
        fetch = fetching(self.cluster, settings, own)
        pgbackrest(
            self.cluster, f"--pg1-path={self.data}", f"--lock-path={self.folder}/lock", *aim,
            "--target-action=promote", "--archive-mode=off",
            f"--recovery-option=restore_command={fetch}", "restore", seconds=LONGEST,
            settings=settings,
        )  # fmt: skip

    def start(self) -> None:
        """Have it replay the log and open; raise with what it died of."""
        libraries = sql("SHOW shared_preload_libraries")
        (self.folder / "hba.conf").write_text("local all all peer\n")
        (self.folder / "ident.conf").write_text("")
        (self.folder / "postgresql.conf").write_text(
            _SETTINGS.format(
                folder=self.folder,
                sockets=self.sockets,
                libraries=libraries,
                prepared=self._control_data("max_prepared_xacts setting"),
            )
        )
        log = self.folder / "log"
        options = f"-c config_file={self.folder}/postgresql.conf"
        command = self._control("start", "--wait", f"--timeout={LONGEST}", f"--log={log}")
        done = subprocess.run(
            [*command, f"--options={options}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        # That only says that it replays: it answers once it is there, or it ends.
        while done.returncode == 0 and not self._answers():
            done = subprocess.run(self._control("status"), capture_output=True, check=False)
            time.sleep(0.2)
        if done.returncode:
            raise RuntimeError(f"the restored server did not open: {_last_words(log)}")

    def stop(self) -> None:
        """End it well, so that its checksums can be read."""
        subprocess.run(self._control("stop", "--mode=fast", "--wait"), check=True)

    def ask(self, text: str, database: str = "postgres") -> str:
        """Return what it answers."""
        return sql(text, database=database, sockets=self.sockets, seconds=LONGEST)

    def run(self, program: str, *words: str) -> None:
        """Run one of PostgreSQL's programs on it; raise with what it found."""
        done = subprocess.run(
            [str(BINARIES / program), *words],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            found = (done.stdout + done.stderr).strip().splitlines()
            raise RuntimeError(f"{program}: exit {done.returncode}: {' '.join(found[:6])}")

    def _answers(self) -> bool:
        try:
            return self.ask("SELECT 1") == "1"
        except RuntimeError:
            return False

    def _control(self, *words: str) -> list[str]:
        return [str(BINARIES / "pg_ctl"), f"--pgdata={self.data}", "--silent", *words]

    def _control_data(self, key: str) -> str:
        done = subprocess.run(
            [str(BINARIES / "pg_controldata"), str(self.data)],
            capture_output=True, text=True, errors="replace", check=True,
        )  # fmt: skip
        told = dict(line.split(":", 1) for line in done.stdout.splitlines() if ":" in line)
        return told[key].strip()


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    worst = [line for line in lines if "FATAL" in line or "ERROR" in line or "PANIC" in line]
    return " ".join((worst or lines)[-3:]) or "it said nothing"
