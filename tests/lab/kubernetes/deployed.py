"""Machines of the stack that our own deploy makes a cluster of, through the worker."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from hosts.k3s import PACKAGES
from lab.kubernetes import PLAIN_FOLDERS, Distribution, let_the_kernel_watch, machine_options
from lab.machines import BaseImage, Machine, PackageRepository
from pulumi_pyinfra.protocol import Action, Event, Host, Request, Ssh
from tests.lab.asking import ask, ssh_to
from tests.lab.database.tier import changes, failed
from tests.lab.machines.conftest import MACHINES, ROOT, STACK, Lab

from .authorities import Authorities

__all__ = ["SERVERS", "VIRTUAL", "Deployed", "changes", "failed"]

SERVERS = [name for name, machine in MACHINES.items() if machine["role"] == "k3s-server"]
ADDRESS = {name: machine["address"] for name, machine in MACHINES.items()}
VIRTUAL = "192.168.15.205"
OPERATOR = "192.168.15.1/32"
TOKEN, AGENT_TOKEN = "server-word-0123456789", "agent-word-0123456789"
SECONDS = 500


@dataclass
class Deployed:
    """The machines, and what they are told."""

    lab: Lab
    release: Distribution
    servers: tuple[str, ...] = tuple(SERVERS)
    agents: tuple[str, ...] = ()
    more: dict[str, Any] = field(default_factory=dict)
    authorities: Authorities = field(default_factory=Authorities)

    def machine(self, name: str) -> Machine:
        return self.lab.machines[name]

    def start(self, *names: str) -> None:
        """Have machines with nothing on them."""
        let_the_kernel_watch()
        packages = PackageRepository(packages=PACKAGES.names, image=BaseImage()).obtain()
        for name in names:
            machine = self.lab.machine(
                name,
                root_gib=8,
                packages=packages,
                plain_folders=PLAIN_FOLDERS,
                nspawn_options=machine_options(),
            )
            machine.boot()
        for name in names:
            self.machine(name).wait_for_ssh(60)

    @cached_property
    def told_release(self) -> dict[str, Any]:
        """Return what the lab's stack file says of the release."""
        told = self.release.settings()
        return {key: told[key] for key in ("version", "mirror", "sha256")}

    @property
    def kubeconfig(self) -> str:
        return self.authorities.kubeconfig(f"https://{VIRTUAL}:6443")

    def arguments(self) -> dict[str, Any]:
        """Return what all nodes are told."""
        kubernetes = STACK["coldstorage:kubernetes"]
        return {
            "cluster": "testing",
            "servers": {name: ADDRESS[name] for name in self.servers},
            "agents": {name: ADDRESS[name] for name in self.agents},
            "api": {
                "name": kubernetes["api_name"],
                "virtual_address": f"{VIRTUAL}/24",
            },
            "release": self.told_release,
            "pods": kubernetes["cluster_cidr"],
            "services": kubernetes["service_cidr"],
            "operators": [OPERATOR],
            "authority": self.authorities.server.certificate,
            "agent_token": AGENT_TOKEN,
            "administrator": self.kubeconfig,
            **self.more,
        }

    def own(self, name: str) -> dict[str, Any]:
        """Return what a node alone is told."""
        if name not in self.servers:
            return {"name": name}
        return {"name": name, "token": TOKEN, "authorities": self.authorities.told()}

    def request(self, action: str, deploy: str, *only: str, **own: Any) -> Request:
        """Return what the provider would ask of a worker."""
        hosts = [
            Host(
                name=name,
                arguments={**self.own(name), **own},
                ssh=self.ssh_to(self.machine(name)),
            )
            for name in only or (*self.servers, *self.agents)
        ]
        return Request(
            action=Action(action),
            deploy=deploy,
            path=str(ROOT),
            hosts=tuple(hosts),
            arguments=self.arguments(),
            secrets=(TOKEN, AGENT_TOKEN, *self.authorities.secrets()),
            deadline=90,
        )

    def ask(self, request: Request) -> list[Event]:
        """Ask a worker that runs inside the lab's network."""
        return ask(self.lab, request, SECONDS)

    def apply(self, *only: str, deploy: str = "hosts.k3s:k3s", **own: Any) -> list[Event]:
        """Change the machines; raise with what failed."""
        events = self.ask(self.request("apply", deploy, *only, **own))
        if wrong := failed(events):
            raise AssertionError("\n".join(wrong))
        return events

    def roll_out(self) -> None:
        """Change one after the other, each proven to be well, as the provider does."""
        for name in (*self.servers, *self.agents):
            self.apply(name)
            self.well(name)

    def well(self, *names: str) -> None:
        """Wait until nodes are well, as the provider does."""
        wrong = failed(self.ask(self.request("probe", "hosts.k3s:healthy", *names)))
        assert not wrong, "\n".join(wrong)

    def ssh_to(self, machine: Machine) -> Ssh:
        """Return how a worker reaches a machine."""
        return ssh_to(self.lab, machine)

    def kubectl(self, words: str, on: str = "") -> str:
        """Run kubectl on one of the servers."""
        return self.machine(on or self.servers[0]).ssh(f"k3s kubectl {words}")

    def ready(self, on: str = "") -> set[str]:
        """Return the nodes that are ready."""
        items = json.loads(self.kubectl("get nodes -o json", on))["items"]
        return {
            item["metadata"]["name"]
            for item in items
            for condition in item["status"]["conditions"]
            if (condition["type"], condition["status"]) == ("Ready", "True")
        }

    def holders(self) -> list[str]:
        """Return who has the API's address."""
        return [
            name
            for name in self.servers
            if self.machine(name).running
            and VIRTUAL in self.machine(name).ssh("ip -br -4 address show eth0")
        ]

    def members(self, on: str) -> set[str]:
        """Return where etcd has members, as one server knows them."""
        tls = "/var/lib/rancher/k3s/server/tls/etcd"
        said = self.machine(on).ssh(
            f"etcdctl --cacert={tls}/server-ca.crt --cert={tls}/client.crt --key={tls}/client.key "
            "member list"
        )
        return {line.split("https://")[1].partition(":")[0] for line in said.splitlines()}
