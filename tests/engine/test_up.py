"""The life of a stack on the real engine and the real provider, one test after the other."""

from __future__ import annotations

import base64
import dataclasses
import json

import pytest
import yaml
from cryptography import x509

from components.cloudflare.tunnel import token
from lab.clouds.tunnels import tunnel_token
from ops.stack_files import settings_of
from tests.engine.conftest import planned, state
from tests.engine.crashing import AT_CLOUDFLARE

pytestmark = pytest.mark.engine
SETTINGS = settings_of("testing")
KEPT = {"R2Bucket", "R2BucketLifecycle"}
"""The backups outlive the stack."""


@pytest.fixture(scope="module")
def up(testing):
    testing.pulumi("up", "--yes", "--skip-preview")
    return testing


def test_proxmox_has_every_machine_of_system_1(up):
    for name, machine in SETTINGS.machines.items():
        made = up.cluster.vms[machine.proxmox.vm_id]

        assert made.running, name
        assert made.config["name"] == name
        assert made.config["cores"] == str(machine.proxmox.cores)
        assert made.config["memory"] == str(machine.proxmox.memory_gib * 1024)
        assert f"ip={machine.address}/24" in made.config["ipconfig0"]
        assert f"size={machine.proxmox.disk_gib}G" in made.config["scsi0"]


def test_the_token_of_the_tunnel_is_the_one_that_cloudflare_would_give_out(up):
    (tunnel,) = up.cloudflare.of("ZeroTrustTunnelCloudflared")
    inputs = tunnel.inputs

    assert token(inputs["accountId"], tunnel.id, inputs["tunnelSecret"]) == tunnel_token(tunnel)


def test_the_names_of_the_portals_point_at_the_tunnel(up):
    (tunnel,) = up.cloudflare.of("ZeroTrustTunnelCloudflared")
    records = {r.inputs["name"]: r.inputs["content"] for r in up.cloudflare.of("DnsRecord")}

    assert records == dict.fromkeys(
        ("ailakshya.in", "employee.ailakshya.in"), f"{tunnel.id}.cfargotunnel.com"
    )


def test_a_second_up_changes_nothing(up):
    up.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")


def test_a_refresh_finds_nothing_changed(up):
    up.pulumi("refresh", "--yes", "--expect-no-changes")

    assert planned(up) == {}


def test_a_change_made_by_hand_is_found_and_repaired(up):
    up.cluster.vms[221].config["cores"] = "1"

    found = up.pulumi("refresh", "--yes", "--expect-no-changes", check=False)
    repaired = planned(up)
    up.pulumi("up", "--yes", "--skip-preview")

    assert found.returncode != 0
    assert repaired == {"machines-db-node2-vm": "update"}
    assert up.cluster.vms[221].config["cores"] == "2"


def test_the_data_disk_survives_a_replacement_of_its_machine(up):
    before = up.cluster.vms[230].config["scsi0"].split(",")[0]
    machines = up.section("machines")
    machines["db-node1"]["proxmox"]["vm_id"] = 229
    up.configure({"machines": {"db-node1": machines["db-node1"]}})

    plan = planned(up)
    assert plan["machines-db-node1-vm"] == plan["machines-db-node1-identity"] == "replace"
    assert plan["database-deploy"] == "update"
    up.pulumi("up", "--yes", "--skip-preview")

    assert 220 not in up.cluster.vms
    assert up.cluster.vms[229].running
    assert up.cluster.vms[229].config["scsi1"].startswith(before)
    assert before in up.cluster.volumes


def test_a_machine_more_touches_the_others_only_in_who_may_reach_them(up):
    machines = up.section("machines")
    added = {
        "role": "k3s-agent",
        "address": "192.168.15.113",
        "proxmox": {"node": "pve", "vm_id": 213, "cores": 2, "memory_gib": 1, "disk_gib": 20},
    }
    # In the middle of the file: the place in a list must mean nothing.
    in_the_middle = dict(list(machines.items())[:2]) | {"k3s-agent1": added} | machines
    up.replace("machines", in_the_middle)

    plan = planned(up)
    up.replace("machines", machines)

    # With the first agent, agents have a deploy.
    new = {name: op for name, op in plan.items() if "agent" in name}
    others = {name: op for name, op in plan.items() if name not in new}
    assert "kubernetes-agents" in new
    assert set(new.values()) == {"create"}
    assert others
    assert set(others.values()) == {"update"}
    assert {name.rsplit("-", 1)[1] for name in others} == {
        *("rules", "deploy", "servers"),
        "egress",  # policies name the nodes that metrics are asked of
    }


def test_an_edit_of_the_cache_is_a_change_inside_the_database_machines_alone(up):
    up.configure({"redis": {"memory_mib": 256}})

    plan = planned(up)
    up.configure({"redis": {"memory_mib": 128}})

    assert plan == {"database-deploy": "update"}


def test_what_the_contract_of_the_machines_refuses_is_refused_by_a_preview(up):
    up.configure({"database": {"owner": "_cold"}})

    refused = up.pulumi("preview", check=False)
    up.configure({"database": {"owner": "cold_user"}})

    assert refused.returncode != 0
    assert "databases[0].owner: must match" in refused.stdout


def test_the_way_to_the_database_is_exported_with_its_secrets_hidden(up):
    shown = json.loads(up.pulumi("stack", "output", "--json").stdout)
    opened = json.loads(up.pulumi("stack", "output", "--json", "--show-secrets").stdout)

    assert shown["database"]["password"] == shown["database"]["cache_password"] == "[secret]"
    assert shown["database"]["pooler_port"] == 6432
    assert opened["database"]["hosts"][0] == "192.168.15.210"
    assert len(opened["database"]["password"]) == 32
    authority = x509.load_pem_x509_certificate(opened["database"]["authority"].encode())
    assert "coldstorage-testing" in authority.subject.rfc4514_string()


def test_a_new_image_replaces_no_machine(up):
    image = up.section("proxmox")["image"]
    up.configure({"proxmox": {"image": image | {"sha512": "ab" * 64}}})

    plan = planned(up)
    up.configure({"proxmox": {"image": image}})

    assert plan == {"machines-image-pve": "replace"}


def test_the_kubeconfig_is_secret_and_its_chain_holds(up):
    shown = json.loads(up.pulumi("stack", "output", "--json").stdout)
    opened = json.loads(up.pulumi("stack", "output", "--json", "--show-secrets").stdout)
    config = yaml.safe_load(opened["kubeconfig"])
    certificate = base64.b64decode(config["users"][0]["user"]["client-certificate-data"])

    assert shown["kubeconfig"] == "[secret]"
    assert config["clusters"][0]["cluster"]["server"] == "https://192.168.15.205:6443"
    client = x509.load_pem_x509_certificate(certificate)
    assert client.subject.rfc4514_string() == "CN=administrator,O=system:masters"
    assert client.issuer.rfc4514_string() == "CN=testing-client-ca"


def test_the_state_and_the_log_hold_no_secret_in_the_clear(up):
    # From 7 on Pulumi's own log prints the inputs of providers, secrets and all.
    log = up.pulumi("preview", "--diff", "-v=6", "--logtostderr").stderr
    opened = json.loads(up.pulumi("stack", "export", "--show-secrets").stdout)
    made = {
        resource["urn"].rsplit("::", 1)[1]: resource["outputs"]["result"]
        for resource in opened["deployment"]["resources"]
        if resource["type"].endswith("RandomPassword")
    }
    tunnel = next(r for r in opened["deployment"]["resources"] if "RandomBytes" in r["type"])
    secret = json.loads(tunnel["outputs"]["base64"]["plaintext"])
    account = up.section("cloudflare")["account_id"]
    (connected,) = up.cloudflare.of("ZeroTrustTunnelCloudflared")
    assert connected.outputs["_secret"] == secret
    canaries = [
        *dataclasses.astuple(up.credentials),
        secret,
        token(account, connected.id, secret),
        *(json.loads(v["plaintext"]) for v in made.values()),
    ]
    stored = json.dumps(state(up))

    assert len(made) >= 8
    assert len(log) > 10_000
    assert not [c for c in canaries if c in stored], "in the state"
    assert not [c for c in canaries if c in log], "in the log"
    assert "PRIVATE KEY" not in stored
    assert "PRIVATE KEY" not in log


def test_destroy_leaves_nothing(up):
    up.pulumi("destroy", "--yes", "--skip-preview")

    assert not up.cluster.vms
    assert not up.cluster.volumes
    assert not up.cluster.pools
    assert not up.cluster.files
    for kind in AT_CLOUDFLARE.keys() - KEPT:
        assert not list(up.cloudflare.of(kind)), kind
