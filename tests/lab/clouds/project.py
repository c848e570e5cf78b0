"""A Pulumi program of some resources, on the real engine, with the lab's clouds behind it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lab.clouds import Cloud, Faults, Records
from lab.clouds import cloudflare as at_cloudflare
from lab.clouds import hetzner as at_hetzner
from lab.serve import Authority, serving
from toolchain import engine

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(__file__).parent / "program"
TOKEN = "canary-of-the-token"
DOMAIN = "example.org"
VERSIONS = {"cloudflare": "6.23.1", "hcloud": "1.43.3"}
MODULES = {"cloudflare": at_cloudflare, "hcloud": at_hetzner}


@dataclass
class Clouds:
    """Both clouds, served over HTTPS as the lab serves them."""

    endpoints: dict[str, str]
    apis: dict[str, Faults]
    clouds: dict[str, Cloud]
    certificate: Path

    @property
    def providers(self) -> dict[str, Any]:
        """Return the configuration of the providers that lead here."""
        token = {"secret": TOKEN}
        hcloud = self.endpoints["hcloud"]
        return {
            "cloudflare": {"baseUrl": self.endpoints["cloudflare"], "apiToken": token},
            "hcloud": {"endpoint": hcloud, "endpointHetzner": hcloud, "token": token},
        }


@contextmanager
def clouds_in(folder: Path, made: dict[str, Cloud] | None = None) -> Iterator[Clouds]:
    """Serve both clouds, whose records are in ``folder``, as long as the block lasts."""
    clouds = made or {
        "cloudflare": at_cloudflare.cloudflare(Records(folder / "cloudflare.json"), domain=DOMAIN),
        "hcloud": at_hetzner.hetzner(Records(folder / "hcloud.json"), project="tests"),
    }
    authority = Authority(folder)
    apis = {name: MODULES[name].api_of(cloud, TOKEN) for name, cloud in clouds.items()}
    with (
        serving(apis["cloudflare"], "cloudflare", authority) as one,
        serving(apis["hcloud"], "hcloud", authority) as two,
    ):
        endpoints = {
            name: served.endpoint + MODULES[name].PREFIX
            for name, served in (("cloudflare", one), ("hcloud", two))
        }
        yield Clouds(endpoints, apis, clouds, authority.certificate)


@dataclass
class Project:
    """A project in a folder of its own."""

    folder: Path
    clouds: Clouds
    resources: list[dict[str, Any]] = field(default_factory=list)
    lookups: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        shutil.copytree(PROGRAM, self.folder)
        state = self.folder / "state"
        state.mkdir()
        self.variables = engine.environment(
            PULUMI_BACKEND_URL=state.as_uri(),
            PULUMI_CONFIG_PASSPHRASE="test",
            SSL_CERT_FILE=str(self.clouds.certificate),
        )
        program = {
            "name": "some-resources",
            "runtime": {"name": "python", "options": {"virtualenv": str(ROOT / ".venv")}},
        }
        (self.folder / "Pulumi.yaml").write_text(yaml.safe_dump(program))
        self.providers = self.clouds.providers
        self.pulumi("stack", "init", "test")

    def want(self, kind: str, name: str, inputs: dict[str, Any], *outputs: str, **options: Any):
        """Want a resource, or want it otherwise than before."""
        package, _, short = kind.partition(":")
        token = f"{package}:index/{short[0].lower()}{short[1:]}:{short}"
        wanted = {"type": token, "name": name, "inputs": inputs, "outputs": outputs}
        wanted["options"] = options
        names = [resource["name"] for resource in self.resources]
        place = names.index(name) if name in names else len(names)
        self.resources[place : place + 1] = [wanted]

    def no_longer(self, name: str) -> None:
        """Want a resource no more."""
        self.resources = [resource for resource in self.resources if resource["name"] != name]

    def pulumi(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the real engine on what is wanted, and return what it said."""
        packages = {r["type"].split(":")[0] for r in self.resources}
        packages |= {lookup["token"].split(":")[0] for lookup in self.lookups}
        wanted = {
            "providers": {name: self.providers[name] for name in sorted(packages)},
            "versions": VERSIONS,
            "resources": self.resources,
            "lookups": self.lookups,
        }
        (self.folder / "wanted.json").write_text(json.dumps(wanted))
        return engine.pulumi(self.folder, self.variables, *arguments, check=check)

    def up(self, *arguments: str) -> str:
        """Run an update and return what it said."""
        done = self.pulumi("up", "--yes", "--skip-preview", *arguments)
        return done.stdout + done.stderr

    def refused(self, *arguments: str) -> str:
        """Run the engine, which must refuse, and return what it said."""
        done = self.pulumi(*arguments, check=False)
        assert done.returncode != 0, done.stdout
        return done.stdout + done.stderr

    def planned(self) -> dict[str, str]:
        """Return what a preview would do, by resource name; what stays the same is left out."""
        preview = json.loads(self.pulumi("preview", "--json").stdout)
        return {
            step["urn"].rsplit("::", 1)[1]: step["op"]
            for step in preview["steps"]
            if step["op"] not in ("same", "read", "refresh")
        }

    def outputs(self, *arguments: str) -> dict[str, Any]:
        """Return what the program exports."""
        outputs: dict[str, Any] = json.loads(
            self.pulumi("stack", "output", "--json", *arguments).stdout
        )
        return outputs
