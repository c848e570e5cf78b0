"""A Pulumi program of one deploy, on the real engine, with the provider of this repository."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab import engine

ROOT = Path(__file__).resolve().parents[3]

PROGRAM = """
import json
import pulumi
from pulumi_pyinfra import Deploy, DeployArgs, Host, Rollout, Ssh

wanted = json.load(open("wanted.json"))
secret = pulumi.Config().get_secret("canary")
hosts = {
    name: Host(
        connector=Ssh(**host["ssh"]) if "ssh" in host else "local",
        arguments=host.get("arguments", {}),
    )
    for name, host in wanted["hosts"].items()
}
arguments = dict(wanted.get("arguments", {}))
if secret is not None:
    arguments["secret"] = secret
deploy = Deploy(
    "group",
    DeployArgs(
        deploy=wanted["deploy"],
        hosts=hosts,
        arguments=arguments,
        rollout=Rollout(**wanted.get("rollout", {})),
        leave=wanted.get("leave"),
        on_delete=wanted.get("on_delete"),
    ),
)
pulumi.export("drift", deploy.drift)
"""

DEPLOYS = '''
from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from pyinfra.api import deploy
from pyinfra.operations import files, server


@dataclass(frozen=True, kw_only=True)
class Page:
    """A file on a host."""

    folder: str
    text: str = "hello"
    broken: bool = False
    secret: str = field(default="none", repr=False)
    others: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if len(self.text) > 40:
            raise ValueError(f"text: must have 40 characters at most, got {len(self.text)}")


@deploy("Page")
def page(wanted: Page) -> None:
    """Write a file and count how often it was written."""
    template = (Path(__file__).parent / "templates" / "page.txt").read_text()
    written = files.put(
        name="Write the page",
        src=StringIO(template.replace("TEXT", wanted.text) + wanted.secret),
        dest=f"{wanted.folder}/page.txt",
        create_remote_dir=True,
    )
    server.shell(
        name="Count",
        commands=[f"echo x >> {wanted.folder}/count"],
        _if=written.did_change,
    )
    if wanted.broken:
        server.shell(name="Fail", commands=["echo why it failed >&2; exit 7"])


@deploy("Gone")
def gone(wanted: Page) -> None:
    """Say that a host leaves."""
    server.shell(
        name="Say who stays",
        commands=[f"echo {' '.join(wanted.others)} > {wanted.folder}/left"],
    )
'''


@dataclass
class Project:
    """A project in a folder of its own."""

    folder: Path

    def __post_init__(self) -> None:
        state = self.folder / "state"
        state.mkdir()
        self.variables = engine.environment(
            PYTHONPATH=str(ROOT),
            PULUMI_BACKEND_URL=state.as_uri(),
            PULUMI_CONFIG_PASSPHRASE="test",
        )
        plugin = {"name": "pyinfra", "path": str(ROOT / "pulumi_pyinfra")}
        program = {
            "name": "one-deploy",
            "runtime": {"name": "python", "options": {"virtualenv": str(ROOT / ".venv")}},
            "plugins": {"providers": [plugin]},
        }
        (self.folder / "Pulumi.yaml").write_text(yaml.safe_dump(program))
        (self.folder / "__main__.py").write_text(PROGRAM)
        package = self.folder / "deploys"
        (package / "templates").mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "page.py").write_text(DEPLOYS)
        (package / "templates" / "page.txt").write_text("TEXT\n")
        self.pulumi("stack", "init", "test")

    def want(self, hosts: dict[str, Any], **other: Any) -> None:
        """Write what the program wants."""
        wanted = {"deploy": "deploys.page:page", "hosts": hosts, **other}
        (self.folder / "wanted.json").write_text(json.dumps(wanted))

    def pulumi(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the real engine and return what it said."""
        return engine.pulumi(self.folder, self.variables, *arguments, check=check)

    def outputs(self) -> dict[str, Any]:
        """Return what the state keeps of the deploy."""
        exported = json.loads(self.pulumi("stack", "export").stdout)["deployment"]
        found = [r for r in exported["resources"] if r["type"] == "pyinfra:index:Deploy"]
        outputs: dict[str, Any] = found[0]["outputs"]
        return outputs

    def up(self, *arguments: str, check: bool = True) -> str:
        """Run an update and return what it said."""
        done = self.pulumi("up", "--yes", "--skip-preview", *arguments, check=check)
        return done.stdout + done.stderr
