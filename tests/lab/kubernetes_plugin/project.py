"""A Pulumi program with the kubernetes package, and whichever kubernetes plugin is there."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from toolchain import engine

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(__file__).parent / "program"


@dataclass
class Project:
    """A project in a folder of its own, for one cluster."""

    folder: Path
    kubeconfig: str

    def __post_init__(self) -> None:
        shutil.copytree(PROGRAM, self.folder, dirs_exist_ok=True)
        state = self.folder / "state"
        state.mkdir()
        self.variables = engine.environment(
            PULUMI_BACKEND_URL=state.as_uri(),
            PULUMI_CONFIG_PASSPHRASE="test",
            # Else the engine has no --event-log.
            PULUMI_DEBUG_COMMANDS="true",
        )
        program = {
            "name": "conformance",
            "runtime": {"name": "python", "options": {"virtualenv": str(ROOT / ".venv")}},
        }
        (self.folder / "Pulumi.yaml").write_text(yaml.safe_dump(program))
        self.pulumi("stack", "init", "test")

    def want(self, program: str, provider: dict[str, Any] | None = None, **wanted: Any) -> None:
        """Write which program runs, with which provider, and what it is told."""
        given = {"kubeconfig": self.kubeconfig, **(provider or {})}
        document = {"program": program, "provider": given, "wanted": wanted}
        (self.folder / "wanted.json").write_text(json.dumps(document))

    def pulumi(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the real engine and return what it said."""
        return engine.pulumi(self.folder, self.variables, *arguments, check=check)

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run the engine beside the block; it ends with the block at the latest."""
        process = subprocess.Popen(
            ["pulumi", "--non-interactive", *arguments],
            cwd=self.folder,
            env={**os.environ, **self.variables},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def counted(self, *arguments: str) -> dict[str, int]:
        """Run the engine and return how many resources it created, changed, left as they are."""
        log = self.folder / "events.json"
        log.unlink(missing_ok=True)
        self.pulumi(*arguments, "--event-log", str(log))
        events = [json.loads(line) for line in log.read_text().splitlines()]
        (counts,) = [event["summaryEvent"] for event in events if "summaryEvent" in event]
        changes: dict[str, int] = counts["resourceChanges"]
        return changes

    def up(self) -> dict[str, int]:
        """Run an update and return its counts."""
        return self.counted("up", "--yes", "--skip-preview")

    def refresh(self) -> dict[str, int]:
        """Run a refresh and return its counts."""
        return self.counted("refresh", "--yes", "--skip-preview")

    def fails(self, *arguments: str) -> str:
        """Run what must fail and return what it said."""
        done = self.pulumi(*arguments, check=False)
        assert done.returncode != 0, done.stdout
        return done.stdout + done.stderr

    def planned(self) -> dict[str, dict[str, Any]]:
        """Return the steps of a preview that change something, by resource name."""
        preview = json.loads(self.pulumi("preview", "--json").stdout)
        return {
            step["urn"].rsplit("::", 1)[1]: step
            for step in preview["steps"]
            if step["op"] not in ("same", "read", "refresh")
        }

    def state(self) -> list[dict[str, Any]]:
        """Return the resources in the state, secrets encrypted."""
        exported = json.loads(self.pulumi("stack", "export").stdout)
        resources: list[dict[str, Any]] = exported["deployment"].get("resources", [])
        return resources

    def output(self, name: str) -> Any:
        """Return an output of the stack."""
        return json.loads(self.pulumi("stack", "output", "--json", "--show-secrets").stdout)[name]
