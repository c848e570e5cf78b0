"""All hosts in one resource."""

import json
from pathlib import Path

from pulumi_pyinfra import Deploy, DeployArgs, Host, Rollout, Ssh

wanted = json.loads(Path("wanted.json").read_text())
Deploy(
    "group",
    DeployArgs(
        deploy=wanted["deploy"],
        hosts={
            name: Host(connector=Ssh(**host["ssh"]), arguments=host["arguments"])
            for name, host in wanted["hosts"].items()
        },
        rollout=Rollout(serial=len(wanted["hosts"]), canary=False),
    ),
)
