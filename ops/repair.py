"""After a run that was killed or cut off: what it left is taken into the state.

    python -m ops.repair testing

What the stack file wants, Proxmox or Cloudflare has with this stack's mark, and the state does not
know, is imported; what a run was about to make and did not is forgotten. Nothing is deleted but
what could not be used: an image that may be half of one, keys whose value nobody has. Then
`pulumi up` goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from components import leftovers
from components.cloudflare import leftovers as at_cloudflare
from components.https import ApiError, JsonApi
from components.leftovers import Ask, Leftover
from components.machines import leftovers as at_proxmox
from components.proxmox_api import ProxmoxApi
from components.sections import Cloudflare, Proxmox
from components.settings import PROJECT
from ops.stack_files import StackFile


class CouldNotError(RuntimeError):
    """The engine refused; the message is what it said."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """The engine's commands on one stack."""

    project: Path
    stack: str

    def run(self, *arguments: str) -> str:
        """Run one and return what it printed."""
        done = subprocess.run(
            ["pulumi", "--non-interactive", *arguments, "--stack", self.stack],
            cwd=self.project,
            text=True,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise CouldNotError(f"pulumi {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def interrupted(self) -> list[str]:
        """Return what a run was in the middle of."""
        deployment = json.loads(self.run("stack", "export"))["deployment"]
        return [
            f"{under_way['type']} {under_way['resource']['urn'].rsplit('::', 1)[1]}"
            for under_way in deployment.get("pending_operations") or ()
        ]

    def to_create(self) -> list[Mapping[str, Any]]:
        """Return what the next run would make, as the plan's new states."""
        plan = json.loads(self.run("preview", "--json"))
        return [step["newState"] for step in plan["steps"] if step["op"] == "create"]

    def adopt(self, found: Sequence[Leftover]) -> None:
        """Take what exists into the state, as it is."""
        # The table's names are for generated code alone; a short one may be a resource's own.
        named = {urn: urn for one in found for urn in (one.parent, one.provider)}
        rows = [
            {
                "type": one.type,
                "name": one.name,
                "id": one.found.import_id,
                "parent": one.parent,
                "provider": one.provider,
            }
            for one in found
        ]
        with TemporaryDirectory() as folder:
            file = Path(folder) / "import.json"
            file.write_text(json.dumps({"nameTable": named, "resources": rows}))
            options = ("--yes", "--skip-preview", "--generate-code=false", "--protect=false")
            self.run("import", "--file", str(file), *options)


def repair(engine: Engine, ask: Mapping[str, Ask], *, agreed: bool) -> None:
    """Bring the state in line with what exists."""
    interrupted = engine.interrupted()
    if interrupted:
        print("interrupted: " + ", ".join(interrupted))
        engine.run("refresh", "--yes", "--skip-preview", "--clear-pending-creates")
    while found := leftovers.of(engine.to_create(), ask):
        for one in found:
            known = one.found.import_id
            what = f"exists as {known}" if known else "cannot be adopted, is deleted"
            print(f"{one.name}: {what} ({one.found.seen})")
        if not agreed and input("Adopt? A running machine is stopped for it. [yes] ") != "yes":
            raise SystemExit("nothing was adopted")
        for one in found:
            one.found.make_ready()
        if adopted := [one for one in found if one.found.import_id]:
            engine.adopt(adopted)
        print(f"adopted: {len(adopted)}")
    print("what exists and what the state knows agree; pulumi up goes on")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m ops.repair",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stack")
    parser.add_argument("--yes", action="store_true", help="adopt without asking")
    parser.add_argument(
        "--unlock", action="store_true", help="no other run is alive: take its lock away"
    )
    parser.add_argument("--project", type=Path, default=PROJECT, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    file = StackFile(project=options.project, stack=options.stack)
    if file.platform() != "proxmox":
        raise SystemExit(f"{options.stack}: only Proxmox's leftovers can be found so far")
    engine = Engine(project=options.project, stack=options.stack)
    try:
        with ExitStack() as connections:
            proxmox, flare = _apis(file)
            connections.enter_context(proxmox)
            connections.enter_context(flare)
            if options.unlock:
                engine.run("cancel", "--yes")
            proxmox.wait_until_idle()
            ask = {
                **at_proxmox.questions(proxmox),
                **at_cloudflare.questions(flare),
            }
            repair(engine, ask, agreed=options.yes)
    except (ApiError, CouldNotError) as error:
        raise SystemExit(str(error)) from None


def _apis(file: StackFile) -> tuple[ProxmoxApi, JsonApi]:
    """Return whom to ask."""
    wanted = Proxmox.model_validate(file.section("proxmox"))
    flare = Cloudflare.model_validate(file.section("cloudflare"))
    bearer = f"Bearer {file.secret('cloudflare_api_token')}"
    return (
        ProxmoxApi(
            str(wanted.endpoint),
            token=file.secret("proxmox_api_token"),
            fingerprint=wanted.fingerprint,
        ),
        JsonApi(str(flare.endpoint), headers={"Authorization": bearer}),
    )


if __name__ == "__main__":
    sys.stdout = os.fdopen(sys.stdout.fileno(), "w", buffering=1)
    main()
