"""What the lab's Hetzner keeps, gives out and refuses, asked directly."""

from __future__ import annotations

import pytest

from lab.clouds import Records, Refused
from lab.clouds.hetzner_balancers import matches
from lab.clouds.hetzner_machines import first_user

SERVER = {"name": "web", "serverType": "cax11", "location": "nbg1"}


def networked(hcloud):
    network = hcloud.create("Network", {"name": "private", "ipRange": "10.0.0.0/16"})
    return hcloud.create(
        "NetworkSubnet",
        {
            "networkId": int(network.id),
            "ipRange": "10.0.1.0/24",
            "networkZone": "eu-central",
            "type": "cloud",
        },
    )


def test_a_server_gets_its_private_address_and_a_public_one(hcloud):
    subnet = networked(hcloud)
    wanted = {"subnetId": subnet.id, "ip": "10.0.1.5"}
    server = hcloud.create("Server", SERVER | {"networks": [wanted]})

    assert server.id.isdigit()
    assert server.outputs["networks"][0]["ip"] == "10.0.1.5"
    assert server.outputs["ipv4Address"].startswith("198.51.100.")
    with pytest.raises(Refused, match="not available"):
        hcloud.create("Server", SERVER | {"name": "two", "networks": [wanted]})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "server name is already used"),
        ({"name": "two", "location": "moon"}, "location: unknown: moon"),
        ({"name": "two", "serverType": "huge"}, "server_type: unknown: huge"),
        ({"name": "two", "sshKeys": ["7"]}, "ssh_keys: unknown: 7"),
        ({"name": "no_name"}, "no valid hostname"),
        ({"name": "two", "deleteProtection": True}, "must be the same"),
    ],
)
def test_hetzner_refuses_what_no_preview_sees(hcloud, change, said):
    hcloud.create("Server", SERVER)

    with pytest.raises(Refused, match=said):
        hcloud.create("Server", SERVER | change)


def test_what_is_protected_is_not_deleted(hcloud):
    protected = {"deleteProtection": True, "rebuildProtection": True}
    server = hcloud.create("Server", SERVER | protected)

    with pytest.raises(Refused, match="protected against deletion"):
        hcloud.delete("Server", server.id)


def test_a_deleted_server_is_attached_to_nothing(hcloud):
    server = hcloud.create("Server", SERVER)
    volume = hcloud.create("Volume", {"name": "data", "size": 10, "location": "nbg1"})
    hcloud.create("VolumeAttachment", {"serverId": int(server.id), "volumeId": int(volume.id)})

    hcloud.delete("Server", server.id)

    assert not list(hcloud.records.of("VolumeAttachment"))
    assert hcloud.read("Volume", volume.id).outputs["linuxDevice"].endswith(f"_{volume.id}")


def test_a_record_is_taken_back_when_it_cannot_become_real(hcloud):
    class Broken:
        def made(self, _record):
            raise RuntimeError("no machine today")

    hcloud.effects = Broken()

    with pytest.raises(RuntimeError, match="no machine today"):
        hcloud.create("Server", SERVER)
    assert not list(hcloud.records.of("Server"))


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("stack=a,role=web", True),
        ("stack=a,role=db", False),
        ("stack==a", True),
        ("role!=db", True),
        ("role!=web", False),
        ("role", True),
        ("!role", False),
        ("!old", True),
    ],
)
def test_targets_are_chosen_by_their_labels(selector, expected):
    assert matches(selector, {"stack": "a", "role": "web"}) is expected


def test_the_first_user_of_a_cloud_config_is_read():
    assert first_user('#cloud-config\n{"users": [{"name": "ops"}]}') == {"name": "ops"}
    assert first_user("#!/bin/sh\ntrue") == {}


def test_a_restarted_cloud_gives_no_number_twice(hcloud, tmp_path):
    first = hcloud.create("Network", {"name": "a", "ipRange": "10.0.0.0/16"})
    hcloud.delete("Network", first.id)

    assert Records(tmp_path / "hcloud.json").number() > int(first.id)
