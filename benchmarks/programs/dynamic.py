"""A resource for each host, of Pulumi's own dynamic provider: a shell command over ssh."""

import json
import subprocess
from pathlib import Path
from typing import Any

from pulumi.dynamic import CreateResult, Resource, ResourceProvider


class Remote(ResourceProvider):
    """Runs a command on a host."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Run it."""
        subprocess.run(props["command"], check=True, stdin=subprocess.DEVNULL)
        return CreateResult(id_=props["name"], outs=props)


class RemoteCommand(Resource):
    """A command on a host."""

    def __init__(self, name: str, command: list[str]) -> None:
        super().__init__(Remote(), name, {"name": name, "command": command})


wanted = json.loads(Path("wanted.json").read_text())
for name, host in wanted["hosts"].items():
    RemoteCommand(name, host["command"])
