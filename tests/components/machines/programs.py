"""The machines half of the program on both platforms, to run on the recording engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pulumi
import pulumi_hcloud as hcloud
import pulumi_proxmoxve as proxmoxve
import pulumi_random as random
import pulumi_tls as tls

from components.machines import Machines, machines_of
from components.sections import Environment, Hetzner, Machine, Platform
from components.settings import Settings
from components.tokens import Tokens
from ops.stack_files import settings_of

VM = "proxmoxve:index/vmLegacy:VmLegacy"
SERVER = "hcloud:index/server:Server"

TESTING = settings_of("testing")
PRODUCTION = settings_of("production")

DOCFAST = replace(
    TESTING,
    stack="docfast",
    platform=Platform.HETZNER,
    environment=Environment(domain="docfast.dev", protect_data=False),
    proxmox=None,
    network=TESTING.network.model_validate(
        {
            "cidr": "10.0.0.0/16",
            "gateway": "10.0.0.1",
            "dns": ["185.12.64.1"],
            "operators": ["203.0.113.0/24"],
        }
    ),
    hetzner=Hetzner.model_validate(
        {
            "project": "docfast",
            "network_zone": "eu-central",
            "subnet": "10.0.1.0/24",
            "image": "debian-13",
            "load_balancer": {
                "type": "lb11",
                "location": "nbg1",
                "address": "10.0.1.2",
                "target_role": "k3s-agent",
                "ports": [80, 443],
                "interval_seconds": 15,
                "timeout_seconds": 10,
                "retries": 3,
            },
        }
    ),
    machines={
        name: Machine.model_validate(
            {"hetzner": {"server_type": "cax11", "location": "nbg1"}, **section}
        )
        for name, section in {
            "k3s-mgr": {"role": "k3s-server", "address": "10.0.1.5"},
            "k3s-w1": {"role": "k3s-agent", "address": "10.0.1.6"},
            "k3s-w2": {"role": "k3s-agent", "address": "10.0.1.7"},
            "db-1": {
                "role": "database",
                "address": "10.0.1.8",
                "priority": 100,
                "data_disk_gib": 20,
            },
        }.items()
    },
)
"""System 3, with a database machine to see what becomes of its volume."""


def program(
    settings: Settings, look: Callable[[Machines], Any] = lambda machines: machines.addresses
) -> Callable[[], Any]:
    """Return the program that makes the machines of ``settings`` and answers what ``look`` sees."""

    def run() -> Any:
        own = [random.Provider("random"), tls.Provider("tls")]
        options = pulumi.ResourceOptions(providers=[_platform(settings), *own])
        return look(machines_of(settings, Tokens(), options))

    return run


def _platform(settings: Settings) -> pulumi.ProviderResource:
    token = pulumi.Output.secret("token")
    if settings.proxmox:
        return proxmoxve.Provider(
            "proxmox", endpoint=str(settings.proxmox.endpoint), api_token=token
        )
    return hcloud.Provider("hetzner", token=token)
