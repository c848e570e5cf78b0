"""A resource for each host."""

import json
from pathlib import Path

from pulumi_pyinfra import Deploy, DeployArgs, Host, Ssh

wanted = json.loads(Path("wanted.json").read_text())
for name, host in wanted["hosts"].items():
    told = Host(connector=Ssh(**host["ssh"]), arguments=host["arguments"])
    Deploy(name, DeployArgs(deploy=wanted["deploy"], hosts={name: told}))
