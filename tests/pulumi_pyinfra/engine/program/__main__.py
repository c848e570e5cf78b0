"""One deploy, as ``wanted.json`` says."""

import json
from pathlib import Path

import pulumi

from pulumi_pyinfra import Chroot, Deploy, DeployArgs, Host, Rollout, Ssh


def ssh(told: dict) -> Ssh:
    bastion = ssh(told["bastion"]) if "bastion" in told else None
    key = pulumi.Config().get_secret("key") or told.get("private_key")
    return Ssh(**{**told, "bastion": bastion, "private_key": key})


def connector(told: dict):
    if "chroot" in told:
        return Chroot(path=told["chroot"])
    return ssh(told["ssh"]) if "ssh" in told else "local"


wanted = json.loads(Path("wanted.json").read_text())
arguments = dict(wanted.pop("arguments", {}))
secret = pulumi.Config().get_secret("canary")
if secret is not None:
    arguments["secret"] = secret
hosts = {
    name: Host(
        connector=connector(host),
        arguments=host.get("arguments", {}),
        machine=host.get("machine"),
    )
    for name, host in wanted.pop("hosts").items()
}
rollout = Rollout(**wanted.pop("rollout", {}))
group = Deploy("group", DeployArgs(hosts=hosts, arguments=arguments, rollout=rollout, **wanted))
pulumi.export("drift", group.drift)
