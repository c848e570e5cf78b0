"""What the lab's Cloudflare keeps, gives out and refuses, asked directly."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import stat

import pytest

from lab.clouds import Records, Refused
from lab.clouds.cloud import SCHEMAS
from lab.clouds.cloudflare import ACCOUNT_ID, ZONE_ID, cloudflare
from lab.clouds.r2 import s3_keys
from lab.clouds.tunnels import tunnel_token

from .project import DOMAIN

TUNNEL = {"accountId": ACCOUNT_ID, "name": "testing"}
RECORD = {"zoneId": ZONE_ID, "name": f"www.{DOMAIN}", "type": "A", "ttl": 1, "content": "10.0.0.1"}


def test_a_restarted_cloud_knows_what_it_knew(flare, tmp_path):
    tunnel = flare.create("ZeroTrustTunnelCloudflared", TUNNEL)

    again = cloudflare(Records(tmp_path / "cloudflare.json"), domain=DOMAIN)

    assert again.read("ZeroTrustTunnelCloudflared", tunnel.id) == tunnel
    assert len(list(again.records.of("Zone"))) == 1


def test_the_file_of_records_is_nobody_elses_to_read(flare, tmp_path):
    flare.create("ZeroTrustTunnelCloudflared", TUNNEL)

    assert stat.S_IMODE((tmp_path / "cloudflare.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("kind", "inputs", "said"),
    [
        ("ZeroTrustTunnelCloudflared", TUNNEL, "already have a tunnel"),
        ("DnsRecord", RECORD, "identical record"),
        ("R2Bucket", {"accountId": ACCOUNT_ID, "name": "backups"}, "already exists"),
    ],
)
def test_cloudflare_refuses_what_is_there_already(flare, kind, inputs, said):
    flare.create(kind, inputs)

    with pytest.raises(Refused, match=said):
        flare.create(kind, inputs)


def test_a_name_is_an_alias_or_an_address_but_not_both(flare):
    flare.create("DnsRecord", RECORD)
    flare.create("DnsRecord", RECORD | {"content": "10.0.0.2"})

    with pytest.raises(Refused, match="with that host already exists"):
        flare.create("DnsRecord", RECORD | {"type": "CNAME", "content": "a.example"})


def test_a_record_may_be_changed_into_what_it_is(flare):
    alias = flare.create("DnsRecord", RECORD | {"type": "CNAME", "content": "a.example"})
    changed = flare.update("DnsRecord", alias.id, alias.inputs | {"content": "b.example"})

    assert changed.outputs["content"] == "b.example"
    assert changed.outputs["createdOn"] == alias.outputs["createdOn"]


@pytest.mark.parametrize(
    ("kind", "inputs", "said"),
    [
        ("DnsRecord", RECORD | {"ttl": 5}, "ttl must be 1 or"),
        ("DnsRecord", RECORD | {"zoneId": "nobody"}, "no Zone nobody"),
        ("R2Bucket", {"accountId": ACCOUNT_ID, "name": "No"}, "name is not valid"),
        ("ZeroTrustAccessPolicy", {"decision": "allow", "name": "all"}, "needs an include"),
        (
            "ZeroTrustAccessApplication",
            {"zoneId": ZONE_ID, "policies": [{"id": "nobody"}]},
            "policy_not_found",
        ),
    ],
)
def test_cloudflare_refuses_what_no_preview_sees(flare, kind, inputs, said):
    with pytest.raises(Refused, match=said):
        flare.create(kind, inputs)


def test_the_last_rule_of_a_tunnel_catches_all(flare):
    tunnel = flare.create("ZeroTrustTunnelCloudflared", TUNNEL)
    rule = {"hostname": "a.example", "service": "http://localhost"}

    with pytest.raises(Refused, match="last rule must match everything"):
        flare.create(
            "ZeroTrustTunnelCloudflaredConfig",
            {"accountId": ACCOUNT_ID, "tunnelId": tunnel.id, "config": {"ingresses": [rule]}},
        )


def test_a_tunnels_token_says_who_and_which(flare):
    tunnel = flare.create("ZeroTrustTunnelCloudflared", TUNNEL)
    told = json.loads(base64.b64decode(tunnel_token(tunnel)))

    assert told["a"] == ACCOUNT_ID
    assert told["t"] == tunnel.id
    assert len(base64.b64decode(told["s"])) == 32
    assert "_secret" not in tunnel.answer["outputs"]


def test_a_configuration_goes_with_its_tunnel_and_not_by_itself(flare):
    tunnel = flare.create("ZeroTrustTunnelCloudflared", TUNNEL)
    inputs = {"accountId": ACCOUNT_ID, "tunnelId": tunnel.id}
    config = flare.create("ZeroTrustTunnelCloudflaredConfig", inputs)

    flare.delete("ZeroTrustTunnelCloudflaredConfig", config.id)
    assert list(flare.records.of("ZeroTrustTunnelCloudflaredConfig"))

    flare.delete("ZeroTrustTunnelCloudflared", tunnel.id)
    assert not list(flare.records.of("ZeroTrustTunnelCloudflaredConfig"))


def test_a_token_for_a_bucket_is_an_s3_key_as_at_r2(flare):
    resource = f"com.cloudflare.edge.r2.bucket.{ACCOUNT_ID}_default_cold-db-backups"
    policy = {"effect": "allow", "permissionGroups": [], "resources": json.dumps({resource: "*"})}
    token = flare.create("ApiToken", {"name": "backups", "policies": [policy]})
    flare.create("ApiToken", {"name": "dns", "policies": [policy | {"resources": "{}"}]})

    (key,) = s3_keys(flare.records)

    assert key.access_key == token.id
    assert key.secret_key == hashlib.sha256(token.outputs["value"].encode()).hexdigest()
    assert key.buckets == ("cold-db-backups",)
    assert key.secret_key not in repr(key)


def test_a_new_version_of_a_service_tokens_secret_is_a_new_secret(flare):
    inputs = {"accountId": ACCOUNT_ID, "name": "probe"}
    first = flare.create("ZeroTrustAccessServiceToken", inputs)
    same = flare.update("ZeroTrustAccessServiceToken", first.id, inputs)
    second = flare.update(
        "ZeroTrustAccessServiceToken", first.id, inputs | {"clientSecretVersion": 2}
    )

    assert same.outputs == first.outputs
    assert second.outputs["clientId"] == first.outputs["clientId"]
    assert second.outputs["clientSecret"] != first.outputs["clientSecret"]


@pytest.mark.parametrize("package", ["cloudflare", "hcloud"])
def test_the_schema_describes_every_type_that_it_names(package):
    schema = json.loads((SCHEMAS / f"{package}.json").read_text())
    inputs = [
        r["inputs"] for r in (*schema["resources"].values(), *schema.get("functions", {}).values())
    ]
    named = {
        f"{package}:index/{name}"
        for properties in [*inputs, *schema["types"].values()]
        for spec in properties.values()
        for name in re.findall(r"ref:(\w+:\w+)", spec["type"])
    }

    assert named <= set(schema["types"])
