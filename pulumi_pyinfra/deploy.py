"""The resource as a program writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pulumi

from .wanted import TYPE


@dataclass(frozen=True, kw_only=True, slots=True)
class Ssh:
    """How a host is reached; only what stands here is ever used, no agent and no ``~/.ssh``."""

    address: pulumi.Input[str]
    user: pulumi.Input[str]
    private_key: pulumi.Input[str] = field(repr=False)
    port: pulumi.Input[int] = 22
    host_keys: pulumi.Input[list[str] | None] = None
    """The keys that the host may show; None pins, in state, what it shows at first contact."""
    bastion: Ssh | None = None
    connect_timeout: pulumi.Input[float | None] = None
    """Seconds after which the host counts as unreachable, all attempts together; else 5."""
    connect_attempts: pulumi.Input[int | None] = None
    """How often a connection is tried; a refused key is not tried again. Else 3."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chroot:
    """A folder of the machine that the program runs on, with a system in it."""

    path: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """One host of the group, and what it alone is told."""

    connector: Ssh | Chroot | Literal["local"]
    arguments: pulumi.Input[Mapping[str, Any]] = field(default_factory=dict)
    machine: pulumi.Input[str | None] = None
    """What differs when another machine stands here under the same name, such as the machine's id.

    The new one is changed from nothing, and its key is pinned anew.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class Rollout:
    """In which order hosts are changed, and what must hold before the next ones are."""

    serial: int = 1
    """How many hosts at once; of several hosts the order is that of their names."""
    canary: bool = True
    """Whether the first batch is one host alone."""
    together_at_first: bool = False
    """Whether all are changed at once as long as none ever was what is wanted: nobody uses them.

    Of whom ``last_if`` says so is in use: then it is batch by batch, whatever the state knows.
    """
    last: tuple[str, ...] = ()
    """Hosts that come at the end."""
    last_if: str | None = None
    """Import path of a function that says, on each host, whether it comes at the end.

    Such as a leader: it takes what the deploy takes, reads facts, and is asked before each batch.
    """
    probe: str | None = None
    """Import path of a deploy that succeeds once a changed host is healthy."""
    probe_seconds: int = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class DeployArgs:
    """What a :class:`Deploy` needs to know.

    ``hosts`` is plain, because its keys decide who is in the group.
    """

    deploy: str
    """Import path of the pyinfra deploy, ``package.module:function``."""
    hosts: Mapping[str, Host]
    arguments: pulumi.Input[Mapping[str, Any]] = field(default_factory=dict)
    """What all hosts are told; a host's own arguments win."""
    sudo: bool = False
    rollout: Rollout = field(default_factory=Rollout)
    leave: str | None = None
    """Import path of the deploy that a host runs before it is taken out of the group.

    It is told ``others``, the names of the hosts that stay. If it fails, the host stays too.
    """
    gone: tuple[str, ...] = ()
    """Hosts that are lost for good: they are taken out of the group without being asked."""
    on_delete: str | None = None
    """Import path of the deploy that every host runs when the resource is deleted."""


class Deploy(pulumi.CustomResource):
    """A pyinfra deploy on a group of hosts."""

    applied: pulumi.Output[Mapping[str, str]]
    """What each host was last changed to, as a digest; a host that failed has its old one."""
    drift: pulumi.Output[Mapping[str, list[str]]]
    """What a refresh found to differ, by host; the next update repairs it."""

    def __init__(
        self, name: str, args: DeployArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        rollout = args.rollout
        inputs = {
            "deploy": args.deploy,
            "hosts": {host: _host(wanted) for host, wanted in args.hosts.items()},
            "arguments": args.arguments,
            "sudo": args.sudo,
            "rollout": _said(
                {
                    "serial": rollout.serial,
                    "canary": rollout.canary,
                    "togetherAtFirst": rollout.together_at_first or None,
                    "last": list(rollout.last) or None,
                    "lastIf": rollout.last_if,
                    "probe": rollout.probe,
                    "probeSeconds": rollout.probe_seconds if rollout.probe else None,
                }
            ),
            "leave": args.leave,
            "gone": list(args.gone) or None,
            "onDelete": args.on_delete,
        }
        # Outputs are what is named and has no value.
        properties = {**_said(inputs), "applied": None, "drift": None}
        super().__init__(TYPE, name, properties, opts)


def _host(host: Host) -> dict[str, pulumi.Input[Any]]:
    match host.connector:
        case Ssh() as ssh:
            connector: Any = _ssh(ssh)
        case Chroot(path=path):
            connector = {"chroot": path}
        case local:
            connector = local
    return _said({"connector": connector, "arguments": host.arguments, "machine": host.machine})


def _ssh(ssh: Ssh) -> dict[str, pulumi.Input[Any]]:
    return _said(
        {
            "address": ssh.address,
            "port": ssh.port,
            "user": ssh.user,
            "privateKey": pulumi.Output.secret(ssh.private_key),
            "hostKeys": ssh.host_keys,
            "bastion": _ssh(ssh.bastion) if ssh.bastion else None,
            "connectTimeout": ssh.connect_timeout,
            "connectAttempts": ssh.connect_attempts,
        }
    )


def _said(properties: dict[str, pulumi.Input[Any]]) -> dict[str, pulumi.Input[Any]]:
    """Leave out what was not said, so that no plan shows it."""
    return {key: value for key, value in properties.items() if value is not None}
