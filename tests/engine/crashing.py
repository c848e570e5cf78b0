"""Runs of a first `up` that go wrong at a place drawn at random, and what must follow.

`CRASH_SEED` chooses the places; without it each run draws its own, and a failure prints it.
`CRASH_SPREAD` is how many engines are killed; `CRASH_TABLE` a file that gets a line for each run.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

from lab.on_records import Lab
from lab.repairing import repaired
from tests.engine.conftest import state

SEED = int(os.environ.get("CRASH_SEED") or random.SystemRandom().randrange(10**6))
SPREAD = int(os.environ.get("CRASH_SPREAD", "25"))
AT_CLOUDFLARE = {
    "R2Bucket": 2,
    "R2BucketLifecycle": 2,
    "AccountToken": 2,
    "ZeroTrustTunnelCloudflared": 1,
    "ZeroTrustTunnelCloudflaredConfig": 1,
    "DnsRecord": 2,
    "ZeroTrustAccessPolicy": 2,
    "ZeroTrustAccessApplication": 2,
}
"""All that a stack has there, by kind."""
UP = ("up", "--yes", "--skip-preview")


def drawn(part: int, parts: int, total: int) -> int:
    """Draw a step from one part of all, from 1."""
    chance = random.Random(f"{SEED}/{part}").random()
    return max(1, int((part + chance) / parts * total))


def finish(lab: Lab, wrong: str, *, failed: bool = False) -> None:
    """Do what `make up` does after a run that went wrong; nothing must be left of that one."""
    found = repaired(lab, failed=failed)
    lab.pulumi(*UP)
    lab.pulumi(*UP, "--expect-no-changes")

    known = {
        int(resource["inputs"]["vmId"])
        for resource in state(lab)["resources"]
        if resource["type"].endswith("VmLegacy")
    }
    owners = {int(volume.split(":")[1].split("/")[0]) for volume in lab.cluster.volumes}
    assert len(known) == 9
    assert lab.cluster.vms.keys() == owners == known
    assert len(lab.cluster.pools) == 1
    assert len(lab.cluster.files) == 1
    for kind, count in AT_CLOUDFLARE.items():
        there = [record.id for record in lab.cloudflare.of(kind)]
        ids = [r["id"] for r in state(lab)["resources"] if r["type"].endswith(f":{kind}")]
        assert sorted(there) == sorted(ids), kind
        assert len(there) == count, kind
    assert not state(lab).get("pending_operations")
    for vm in lab.cluster.vms.values():
        assert len({str(rule) for rule in vm.rules}) == len(vm.rules), "rules are there twice"
    if table := os.environ.get("CRASH_TABLE"):
        with Path(table).open("a") as lines:
            lines.write(f"| {wrong} | {found} |\n")
