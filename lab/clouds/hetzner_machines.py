"""What becomes of Hetzner's records in the lab: servers are machines, volumes their disks.

A server has its private address, and a public one beside it on the same card; both networks are
on the lab's one bridge. A volume is attached while its server is off, so attaching turns it off
and on once; at Hetzner nobody notices. Firewalls stay records: nothing here enforces them.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

import yaml

from ..machines import Machine, MachineArgs, Network, Place, Volume
from ..machines.host import HostError
from .cloud import Cloud
from .hetzner_forwarders import Forwarders
from .hetzner_networks import PUBLIC, gateway, range_of
from .hetzner_servers import ssh_key
from .records import Record, Refused

Handler = Callable[[Record], None]
PUBLIC_FILE = "etc/systemd/network/10-eth0.network.d/public.conf"
ROUTING = ("LoadBalancer", "LoadBalancerNetwork", "LoadBalancerService", "LoadBalancerTarget")
POWER_OFF_SECONDS = 30
START_SECONDS = 120


class HetznerMachines:
    """The effects of a Hetzner Cloud in a lab's place; call `of` before anything is asked."""

    cloud: Cloud

    def __init__(self, place: Place, image: Path, packages: Path | None = None) -> None:
        self.place, self._image, self._packages = place, image, packages
        self.network = Network(place)
        # What is done to one server is done one after the other.
        self._turns: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self._made: Mapping[str, Handler] = {
            "Network": self._open,
            "Server": self._start,
            "Volume": self._format,
            "VolumeAttachment": self._attach,
        }
        self._unmade: Mapping[str, Handler] = {
            "Server": self._delete,
            "Volume": lambda volume: self.volume(volume.id).delete(),
            "VolumeAttachment": self._detach,
        }

    def of(self, cloud: Cloud) -> None:
        """Take the cloud whose effects these are, and bring about what its records stand for.

        Also what a cloud that was killed had written down and not yet done.
        """
        self.cloud, cloud.effects = cloud, self
        self._forwarders = Forwarders(cloud, self.network)
        for network in cloud.records.of("Network"):
            self._open(network)
        for volume in cloud.records.of("Volume"):
            if not self.volume(volume.id).exists:
                self._format(volume)
        for server in cloud.records.of("Server"):
            if self.machine(server).exists:
                self.machine(server).boot()
            else:
                self._start(server)
        self._forwarders.follow()

    def stop(self) -> None:
        """End the load balancers; machines stay as they are."""
        self._forwarders.stop()

    def machine(self, server: Record) -> Machine:
        """Return the machine that a server is."""
        return Machine(self.place, server.outputs["name"])

    def volume(self, number: str) -> Volume:
        """Return the disk that a volume is."""
        return Volume(self.place.volume(f"hcloud-{number}"))

    def made(self, record: Record) -> None:
        """Bring about what a new record stands for."""
        self._made.get(record.kind, _leave)(record)
        self._route(record)

    def changed(self, before: Record, record: Record) -> None:
        """Follow a change: of a server's type and of a volume's size, besides routes."""
        if record.kind == "Server" and before.inputs["serverType"] != record.inputs["serverType"]:
            with self._turns[record.id]:
                self._turn_off(record)
                self.machine(record).boot()
        if record.kind == "Volume" and before.inputs["size"] != record.inputs["size"]:
            self.volume(record.id).grow(record.inputs["size"])
        self._route(record)

    def unmade(self, record: Record) -> None:
        """Do away with what a record stood for."""
        self._unmade.get(record.kind, _leave)(record)
        self._route(record)

    def _route(self, record: Record) -> None:
        if record.kind in ROUTING:
            self._forwarders.follow()

    def _open(self, network: Record) -> None:
        addresses = range_of(network)
        self.network.up(IPv4Interface(f"{gateway(addresses)}/{addresses.prefixlen}"))
        self.network.ip("route", "replace", str(PUBLIC), "dev", "br0")

    def _start(self, server: Record) -> None:
        machine = self.machine(server)
        machine.create(self._args(server))
        public = machine.folder / "first-start" / PUBLIC_FILE
        public.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        public.parent.chmod(0o755)
        public.write_text(
            f"[Network]\nAddress={server.outputs['ipv4Address']}/{PUBLIC.prefixlen}\n"
        )
        public.chmod(0o644)
        machine.boot()

    def _args(self, server: Record) -> MachineArgs:
        networks = server.outputs.get("networks") or []
        if not networks:
            raise Refused(422, "invalid_input", "the lab's servers need a private network")
        addresses = range_of(self.cloud.read("Network", str(networks[0]["networkId"])))
        user = first_user(server.inputs.get("userData", ""))
        keys = [ssh_key(self.cloud, key) for key in server.inputs.get("sshKeys", [])]
        return MachineArgs(
            name=server.outputs["name"],
            address=IPv4Interface(f"{networks[0]['ip']}/{addresses.prefixlen}"),
            gateway=gateway(addresses),
            mac=networks[0]["macAddress"],
            root_gib=server.outputs["primaryDiskSize"],
            user=user.get("name"),
            authorized_keys=(
                *(key.inputs["publicKey"] for key in keys if key),
                *user.get("ssh_authorized_keys", ()),
            ),
            disks=self._disks(server),
            image=self._image,
            packages=self._packages,
        )

    def _disks(self, server: Record) -> dict[str, Path]:
        """Return the volumes that records say are attached to a server."""
        attached = [
            self.cloud.read("Volume", attachment.id)
            for attachment in self.cloud.records.of("VolumeAttachment")
            if str(attachment.inputs["serverId"]) == server.id
        ]
        return {v.outputs["linuxDevice"]: self.volume(v.id).file for v in attached}

    def _delete(self, server: Record) -> None:
        with self._turns[server.id]:
            if server.inputs.get("shutdownBeforeDeletion"):
                self._turn_off(server)
            self.machine(server).delete()

    def _turn_off(self, server: Record) -> None:
        machine = self.machine(server)
        with suppress(TimeoutError, HostError):  # hanging, or not far enough in its start
            machine.power_off(POWER_OFF_SECONDS)
        machine.power_cut()

    def _format(self, volume: Record) -> None:
        self.volume(volume.id).create(
            volume.inputs["size"], formatted=volume.inputs.get("format") == "ext4"
        )

    def _attach(self, attachment: Record) -> None:
        number = str(attachment.inputs["volumeId"])
        device = self.cloud.read("Volume", number).outputs["linuxDevice"]
        self._rewire(attachment, {device: self.volume(number).file})

    def _detach(self, attachment: Record) -> None:
        self._rewire(attachment, {})

    def _rewire(self, attachment: Record, more: Mapping[str, Path]) -> None:
        """Have a server's machine see other disks, by turning it off and on."""
        server = self.cloud.records.get("Server", str(attachment.inputs["serverId"]))
        if server is None or not self.machine(server).exists:
            return
        machine, file = self.machine(server), self.volume(str(attachment.inputs["volumeId"])).file
        with self._turns[server.id]:
            kept = {device: path for device, path in machine.args.disks.items() if path != file}
            machine.wait_for_ssh(START_SECONDS)  # in the middle of its start it would not go off
            self._turn_off(server)
            machine.create(machine.args.model_copy(update={"disks": kept | dict(more)}))
            machine.boot()


def first_user(user_data: str) -> Mapping[str, Any]:
    """Return the first user of a cloud-config, or an empty one."""
    document = yaml.safe_load(user_data) if user_data.startswith("#cloud-config") else None
    users = [user for user in (document or {}).get("users", []) if isinstance(user, dict)]
    return users[0] if users else {}


def _leave(_record: Record) -> None:
    """Do nothing: the record is all there is."""
