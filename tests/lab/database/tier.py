"""Three database machines of the stack, changed through the worker as the provider would."""

from __future__ import annotations

import json
import ssl
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import trustme

from hosts.database import PACKAGES
from lab.machines import BaseImage, Machine, PackageRepository
from lab.machines.host import HostError
from lab.machines.network import entered
from pulumi_pyinfra.protocol import Action, Event, Finished, Host, Operation, Request, Ssh, Status
from tests.lab.asking import ask, ssh_to
from tests.lab.machines.conftest import DATA, DATABASE, MACHINES, ROOT, SSH_SECONDS, STACK, Lab

VIRTUAL = STACK["coldstorage:network"]["database_address"]
CLUSTER = "cold"
CLIENT = "192.168.15.110"
ROTATED = ("owner", "replication", "rewind", "pooler", "redis", "redis_replication")
PASSWORDS = {name: f"{name.replace('_', '-')}-word-0123456789" for name in ROTATED}
OWNER_PASSWORD = PASSWORDS["owner"]
SIZE = {"memory_mib": 1024, "cores": 2, "disk_gib": 2}
SECONDS = 400


def pairs() -> dict[str, dict[str, str]]:
    """Return the secrets as the program makes them: two words each, the first in use."""
    return {
        name: {"first": word, "second": f"other-{word}", "in_use": "first"}
        for name, word in PASSWORDS.items()
    }


@dataclass
class Tier:
    """The machines, and what they are told."""

    lab: Lab
    names: tuple[str, ...] = tuple(DATABASE)
    more: dict[str, Any] = field(default_factory=dict)
    secret: dict[str, dict[str, str]] = field(default_factory=pairs)
    authority: trustme.CA = field(default_factory=trustme.CA)
    spare: trustme.CA = field(default_factory=trustme.CA)

    def machine(self, name: str) -> Machine:
        return self.lab.machines[name]

    @property
    def machines(self) -> list[Machine]:
        return [self.machine(name) for name in self.names]

    def start(self, *names: str) -> None:
        """Have machines with a blank data disk each."""
        packages = PackageRepository(packages=PACKAGES.names, image=BaseImage()).obtain()
        for name in names:
            volume = self.lab.volume(name, 2, formatted=False)
            machine = self.lab.machine(name, packages=packages, disks={DATA: volume.file})
            machine.boot()
        for name in names:
            self.machine(name).wait_for_ssh(SSH_SECONDS)

    @property
    def trusted(self) -> str:
        """Return both authorities, as everybody is told them."""
        return "".join(ca.cert_pem.bytes().decode() for ca in (self.authority, self.spare))

    @cached_property
    def identities(self) -> dict[str, dict[str, str]]:
        return {}

    def identity(self, name: str) -> dict[str, str]:
        """Return a machine's certificate, made once."""
        if name not in self.identities:
            made = self.authority.issue_cert(name, MACHINES[name]["address"], VIRTUAL, "127.0.0.1")
            chain = b"".join(blob.bytes() for blob in made.cert_chain_pems)
            self.identities[name] = {
                "authority": self.trusted,
                "certificate": chain.decode(),
                "key": made.private_key_pem.bytes().decode(),
            }
        return self.identities[name]

    def arguments(self) -> dict[str, Any]:
        """Return what all machines are told."""
        members = {
            name: {
                "address": MACHINES[name]["address"],
                "priority": MACHINES[name]["priority"],
                "size": SIZE,
            }
            for name in self.names
        }
        return {
            "cluster": CLUSTER,
            "members": members,
            "virtual_address": f"{VIRTUAL}/24",
            "router_id": 210,
            "interface": "eth0",
            "clients": [f"{CLIENT}/32", "192.168.15.1/32"],
            "operators": ["192.168.15.1/32"],
            "databases": [
                {"name": "cold_db", "owner": "cold_user", "password": self.secret["owner"]}
            ],
            "passwords": {name: p for name, p in self.secret.items() if name != "owner"},
            "data_disk": DATA,
            **self.more,
        }

    def request(
        self, action: str, deploy: str, *only: str, own: dict[str, Any] | None = None
    ) -> Request:
        """Return what the provider would ask of a worker."""
        hosts = [
            Host(
                name=name,
                arguments={"name": name, "identity": self.identity(name), **(own or {})},
                ssh=self.ssh_to(self.machine(name)),
            )
            for name in only or self.names
        ]
        return Request(
            action=Action(action),
            deploy=deploy if "." in deploy else f"hosts.database:{deploy}",
            path=str(ROOT),
            hosts=tuple(hosts),
            arguments=self.arguments(),
            secrets=self.secrets(),
            deadline=60,
        )

    def secrets(self) -> tuple[str, ...]:
        keys = [self.identity(name)["key"] for name in self.names]
        return (*self.words(), *keys)

    def words(self) -> list[str]:
        """Return every password that is taken."""
        return [pair[which] for pair in self.secret.values() for which in ("first", "second")]

    def ask(self, request: Request) -> list[Event]:
        """Ask a worker that runs inside the lab's network."""
        return ask(self.lab, request, SECONDS)

    def apply(self, *only: str, deploy: str = "database", **more: Any) -> list[Event]:
        """Change the machines; raise with what failed."""
        events = self.ask(self.request("apply", deploy, *only, **more))
        if wrong := failed(events):
            raise AssertionError("\n".join(wrong))
        return events

    def ssh_to(self, machine: Machine) -> Ssh:
        """Return how a worker reaches a machine."""
        return ssh_to(self.lab, machine)

    def patroni(self) -> dict[str, dict[str, Any]]:
        """Return the cluster as Patroni sees it, asked on the first machine that runs."""
        return self.patroni_on(next(m.name for m in self.machines if m.running))

    def patroni_on(self, name: str) -> dict[str, dict[str, Any]]:
        """Return the cluster as one machine's Patroni sees it."""
        said = self.machine(name).execute(
            "patronictl", "-c", "/etc/patroni/config.yml", "list", "-f", "json"
        )
        return {member["Member"]: member for member in json.loads(said)}

    def cluster(self) -> dict[str, dict[str, Any]]:
        """Return the members by name, as any Patroni that answers says; nobody where none does."""
        for machine in self.machines:
            said = self.asked(machine, f"https://{machine.args.address.ip}:8008/cluster")
            if "members" in said:
                return {member["name"]: member for member in said["members"]}
        return {}

    def asked(self, machine: Machine, url: str) -> dict[str, Any]:
        """Return what a machine's service answers, asked on the machine itself."""
        with (
            suppress(OSError, HostError, ValueError),
            entered(Path(f"/proc/{machine.pid}/ns/net")),
            self._opener.open(url, timeout=3) as answer,
        ):
            return dict(json.load(answer))
        return {}

    @property
    def _opener(self) -> urllib.request.OpenerDirector:
        context = ssl.create_default_context(cadata=self.trusted)
        https = urllib.request.HTTPSHandler(context=context)
        # A proxy of this computer is nothing to the lab's network.
        return urllib.request.build_opener(urllib.request.ProxyHandler({}), https)

    def timeline(self) -> int:
        """Return how often a leader was promoted since the tier was made, and one."""
        return max((int(m.get("timeline", 0)) for m in self.cluster().values()), default=0)

    def ailments(self, holder: str | None) -> list[str]:
        """Return what is not as it should be, the holder of the address included."""
        cluster = self.cluster()
        wrong = [f"{name} is missing" for name in self.names if name not in cluster]
        for name, member in cluster.items():
            state = "running" if member["role"] == "leader" else "streaming"
            asynchronous = member["role"] == "replica" and self.more.get("synchronous", True)
            if member["state"] != state or asynchronous:
                wrong.append(f"{name} is {member['role']}, {member['state']}")
        leaders = [name for name, member in cluster.items() if member["role"] == "leader"]
        if leaders != [holder]:
            wrong.append(f"{holder} holds the address, {leaders} leads")
        for machine in self.machines:
            said = self.asked(machine, "http://127.0.0.1:2381/health")
            if said.get("health") != "true":
                wrong.append(f"{machine.name}: etcd: {said}")
        return wrong

    @staticmethod
    def becomes(true: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is true; tell whether it became so in time."""
        deadline = time.monotonic() + seconds
        while not true():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)
        return True

    def leader(self) -> str:
        """Return who leads; raise where nobody does."""
        leaders = [name for name, m in self.cluster().items() if m["role"] == "leader"]
        assert leaders, self.cluster()
        return leaders[0]


def failed(events: Sequence[Event]) -> list[str]:
    """Return what went wrong, in words."""
    wrong = []
    ended = {event.host for event in events if isinstance(event, Finished)}
    for event in events:
        if isinstance(event, Operation) and event.status is Status.FAILED:
            wrong.append(f"{event.host}: {event.name}: {event.command}\n{event.output}")
        elif not isinstance(event, Operation | Finished) and getattr(event, "reason", None):
            wrong.append(str(event))
    return wrong or ([] if ended else ["no host was reached"])


def changes(events: Sequence[Event]) -> dict[str, list[str]]:
    """Return, by host, the operations that changed or would change something."""
    told: dict[str, list[str]] = {}
    for event in events:
        if isinstance(event, Operation) and event.status in (
            Status.CHANGES,
            Status.CHANGED,
            Status.UNKNOWN,
        ):
            told.setdefault(event.host, []).append(event.name)
    return told
