"""Refuse a plan that loses data or quorum, unless a waiver says so: ``make gate stack=production``.

    python -m ops.gate production [--plan preview.json]

It reads the engine's preview. Whatever is deleted or replaced has to be of a kind of which it is
known that nothing is lost with it; all else has to stand in ``waivers.yaml``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from components.settings import PROJECT
from ops.waivers import Waiver, WaiversError, load

GOES = frozenset({"delete", "delete-replaced", "replace", "create-replacement"})
DEPLOY = "pyinfra:index:Deploy"
HOLDS = {
    "proxmoxve:*/vmLegacy:*": "a machine with its disk, or a disk of data",
    "hcloud:*/server:*": "a machine with its disk",
    "hcloud:*/volume:*": "a disk of data",
    "cloudflare:*/r2Bucket:*": "backups",
    "random:*/randomPassword:*": "a secret: what it opens, or what was sealed with it",
    "random:*/randomBytes:*": "a secret: what it opens",
    "tls:*/privateKey:*": "a key: what it opens, or what was sealed with it",
    "tls:*/selfSignedCert:*": "an authority: everybody who trusts it",
    "kubernetes:core/v1:Namespace": "everything that is in it",
    "kubernetes:core/v1:PersistentVolume*": "a volume's data",
    "kubernetes:apiextensions.k8s.io/*": "every object of its kind",
    "kubernetes:apps/v1:StatefulSet": "who has data or a vote",
    DEPLOY: "members of a group: they are told to leave it, or nobody looks after them",
    "pulumi:providers:*": "everything that it made",
}
"""What is lost with a resource, by its kind."""
HARMLESS = (
    "coldstorage:*",
    "pulumi:pulumi:Stack",
    "cloudflare:*/accountToken:*",
    "cloudflare:*/dnsRecord:*",
    "cloudflare:*/r2BucketLifecycle:*",
    "cloudflare:*/zeroTrust*",
    "hcloud:*",
    "kubernetes:*",
    "proxmoxve:*",
    "random:*/randomId:*",
    "tls:*/certRequest:*",
    "tls:*/locallySignedCert:*",
)
"""Kinds that can be made again, and nothing is missing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """One resource of which something would be lost."""

    urn: str
    operation: str
    what: str
    because: str

    def __str__(self) -> str:
        """Return it as one line."""
        name = self.urn.rsplit("::", 1)[1]
        return f"{self.operation:<8} {name}: {self.what}{self.because}"


def losses(plan: Mapping[str, Any]) -> Iterator[Loss]:
    """Yield what a plan (``pulumi preview --json``) would lose, each resource once."""
    seen = set()
    for step in plan["steps"]:
        urn = step["urn"]
        kind = urn.split("::")[2].rsplit("$", 1)[-1]
        operation = step["op"]
        if urn in seen:
            continue
        if operation in GOES and (what := lost_with(kind)):
            reasons = step.get("replaceReasons") or step.get("diffReasons")
            yield Loss(
                urn=urn,
                operation="delete" if operation == "delete" else "replace",
                what=what,
                because=f"; because of {', '.join(sorted(reasons))}" if reasons else "",
            )
            seen.add(urn)
        elif kind == DEPLOY and (leaving := _leaving(step)):
            yield Loss(
                urn=urn,
                operation="update",
                what=f"{', '.join(leaving)} would leave the group",
                because="",
            )
            seen.add(urn)


def lost_with(kind: str) -> str:
    """Return what is lost with a resource of a kind; of a kind that nobody thought of, too."""
    for pattern, what in HOLDS.items():
        if fnmatchcase(kind, pattern):
            return what
    if any(fnmatchcase(kind, pattern) for pattern in HARMLESS):
        return ""
    return "nobody has said yet what is lost with its kind (ops/gate.py)"


def _leaving(step: Mapping[str, Any]) -> list[str]:
    old, new = (
        (step.get(state) or {}).get("inputs", {}).get("hosts", {})
        for state in ("oldState", "newState")
    )
    return sorted({*old} - {*new})


def judge(found: Sequence[Loss], waivers: Mapping[str, Waiver]) -> tuple[list[str], bool]:
    """Return what there is to say, and whether the plan may be applied."""
    told = []
    for loss in found:
        waiver = waivers.get(loss.urn)
        told.append(f"{'waived ' if waiver else 'REFUSED'} {loss}")
        told.append(
            f"         until {waiver.expires} by {waiver.author}: {waiver.reason}"
            if waiver
            else f"         {loss.urn}"
        )
    return told, all(loss.urn in waivers for loss in found)


def _plan(stack: str, project: Path) -> dict[str, Any]:
    done = subprocess.run(
        ["pulumi", "--non-interactive", "--stack", stack, "preview", "--json"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"pulumi preview: exit {done.returncode}\n{done.stderr}{done.stdout}")
    plan: dict[str, Any] = json.loads(done.stdout)
    return plan


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m ops.gate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stack")
    parser.add_argument("--plan", type=Path, help="what `pulumi preview --json` said")
    parser.add_argument("--waivers", type=Path, default=PROJECT / "waivers.yaml")
    parser.add_argument("--project", type=Path, default=PROJECT, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    try:
        waivers = load(options.waivers, datetime.now(UTC).date())
    except WaiversError as error:
        raise SystemExit(str(error)) from None
    plan = (
        json.loads(options.plan.read_text())
        if options.plan
        else _plan(options.stack, options.project)
    )
    told, allowed = judge([*losses(plan)], waivers)
    print("\n".join(told) or "nothing that holds data or quorum is deleted or replaced")
    sys.exit(not allowed)


if __name__ == "__main__":
    main()
