"""The plugins of the lab's own on the real engine: what they refuse, change, find and leave."""

from __future__ import annotations

import time

import pytest

from lab.clouds import Fault
from lab.clouds.cloudflare import ACCOUNT_ID, ZONE_ID

from .project import DOMAIN, TOKEN

pytestmark = pytest.mark.engine

TUNNEL = {"accountId": ACCOUNT_ID, "name": "testing", "configSrc": "cloudflare"}
RECORD = {"zoneId": ZONE_ID, "name": f"www.{DOMAIN}", "type": "CNAME", "ttl": 1, "proxied": True}
NETWORK = {"name": "private", "ipRange": "10.0.0.0/16"}


@pytest.fixture
def site(project):
    """A tunnel, its configuration and a record that points at it."""
    project.want("cloudflare:ZeroTrustTunnelCloudflared", "tunnel", TUNNEL)
    project.want(
        "cloudflare:ZeroTrustTunnelCloudflaredConfig",
        "config",
        {
            "accountId": ACCOUNT_ID,
            "tunnelId": "${tunnel.id}",
            "config": {"ingresses": [{"service": "http_status:404"}]},
        },
    )
    project.want("cloudflare:DnsRecord", "www", RECORD | {"content": "x.cfargotunnel.com"})
    project.up()
    return project


def records(project, cloud: str, kind: str):
    return list(project.clouds.clouds[cloud].records.of(kind))


def test_a_second_up_and_a_refresh_change_nothing(site):
    site.up("--expect-no-changes")
    site.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    site.up("--expect-no-changes")


def test_it_says_once_that_it_is_a_stand_in(site):
    told = site.up()

    assert told.partition("Diagnostics:")[2].count("STAND-IN: cloudflare resources") == 1


def test_a_preview_makes_nothing_and_knows_what_it_cannot_know(project):
    project.want("cloudflare:ZeroTrustTunnelCloudflared", "tunnel", TUNNEL, "createdAt")

    assert project.planned()["tunnel"] == "create"
    assert records(project, "cloudflare", "ZeroTrustTunnelCloudflared") == []
    assert {call.split()[0] for call in project.clouds.apis["cloudflare"].calls} <= {"GET"}


FAULTY = {
    "hcloud:Server": (
        {
            "colour": "blue",
            "labels": {"stack": 5},
            "networks": [{"subnetId": "1-x", "adress": "10.0.0.2"}],
            "deleteProtection": "yes",
        },
        {
            "colour": "has no such input",
            'labels["stack"]': "must be of type string, got number",
            "networks[0].adress": "has no such input",
            "deleteProtection": "must be of type boolean, got string",
            "serverType": "must be given",
        },
    ),
    "cloudflare:DnsRecord": (
        {"type": "CNAM", "ttl": "one", "name": "www", "settings": 5},
        {
            "type": "must be one of A, AAAA",
            "ttl": "must be of type number, got string",
            "settings": "must be an object, got number",
            "zoneId": "must be given",
        },
    ),
    "cloudflare:ZeroTrustAccessApplication": (
        {
            "corsHeaders": {"allowedMethods": ["GET", "BREW"], "maxAge": "long"},
            "policies": [{"includes": [{"emailDomain": {"domian": "example.com"}}]}],
        },
        {
            "corsHeaders.allowedMethods[1]": "must be one of GET",
            "corsHeaders.maxAge": "must be of type number",
            "policies[0].includes[0].emailDomain.domian": "has no such input",
            "policies[0].includes[0].emailDomain.domain": "must be given",
        },
    ),
    "hcloud:ServerNetwork": (
        {"serverId": 1.5},
        {
            "serverId": "must be of type integer",
            "networkId": "exactly one of networkId, subnetId must be given, got 0",
        },
    ),
}


@pytest.mark.parametrize("kind", FAULTY)
def test_every_fault_of_the_inputs_is_told_at_once_with_its_path(project, kind):
    inputs, faults = FAULTY[kind]
    project.want(kind, "faulty", inputs)

    told = [line for line in project.refused("preview").splitlines() if "error:" in line]

    for path, reason in faults.items():
        assert [line for line in told if path in line and reason in line], (path, told)


def test_a_change_is_an_update_or_a_replacement_as_the_schema_says(site):
    site.want("cloudflare:DnsRecord", "www", RECORD | {"content": "y.cfargotunnel.com"})
    assert site.planned() == {"www": "update"}

    site.want("cloudflare:DnsRecord", "www", RECORD | {"type": "TXT", "content": "y"})
    assert site.planned()["www"] == "replace"

    # "ifConfigured": another value replaces, none at all does not.
    site.want("cloudflare:ZeroTrustTunnelCloudflared", "tunnel", TUNNEL | {"configSrc": "local"})
    assert site.planned()["tunnel"] == "replace"
    without = {name: value for name, value in TUNNEL.items() if name != "configSrc"}
    site.want("cloudflare:ZeroTrustTunnelCloudflared", "tunnel", without)
    assert "tunnel" not in site.planned()


def test_a_replacement_is_made_and_the_old_one_is_gone(site):
    (before,) = records(site, "cloudflare", "DnsRecord")
    site.want("cloudflare:DnsRecord", "www", RECORD | {"type": "TXT", "content": "hello"})
    site.up()

    (after,) = records(site, "cloudflare", "DnsRecord")
    assert before.id != after.id
    assert after.outputs["type"] == "TXT"


def test_an_ignored_change_is_none(site):
    other = RECORD | {"content": "y.cfargotunnel.com"}
    site.want("cloudflare:DnsRecord", "www", other, ignore_changes=["content"])

    assert site.planned() == {}


def test_drift_is_found_and_repaired(site):
    flare = site.clouds.clouds["cloudflare"]
    (record,) = records(site, "cloudflare", "DnsRecord")
    flare.set_by_hand("DnsRecord", record.id, content="elsewhere.example", comment="by hand")

    site.refused("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert site.planned() == {"www": "update"}
    site.up()

    (repaired,) = records(site, "cloudflare", "DnsRecord")
    assert repaired.outputs["content"] == "x.cfargotunnel.com"
    assert "comment" not in repaired.outputs
    site.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")


def test_a_record_deleted_by_hand_is_made_again(site):
    (record,) = records(site, "cloudflare", "DnsRecord")
    site.clouds.clouds["cloudflare"].delete("DnsRecord", record.id)
    site.pulumi("refresh", "--yes", "--skip-preview")

    assert site.planned() == {"www": "create"}


def test_what_is_gone_already_can_be_destroyed(site):
    (record,) = records(site, "cloudflare", "DnsRecord")
    site.clouds.clouds["cloudflare"].delete("DnsRecord", record.id)
    site.pulumi("destroy", "--yes", "--skip-preview")

    assert records(site, "cloudflare", "ZeroTrustTunnelCloudflared") == []


def test_an_existing_record_is_imported_by_its_long_id(site):
    flare = site.clouds.clouds["cloudflare"]
    found = flare.create("DnsRecord", {**RECORD, "name": f"api.{DOMAIN}", "content": "z.example"})
    wanted = RECORD | {"name": f"api.{DOMAIN}", "content": "z.example"}
    site.want("cloudflare:DnsRecord", "api", wanted, import_=f"{ZONE_ID}/{found.id}")
    site.up()

    assert len(records(site, "cloudflare", "DnsRecord")) == 2
    site.want("cloudflare:DnsRecord", "api", wanted)
    site.up("--expect-no-changes")


def test_a_refusal_is_told_in_the_clouds_words_and_the_next_up_succeeds(project):
    project.want("cloudflare:ZeroTrustTunnelCloudflared", "tunnel", TUNNEL)
    api = project.clouds.apis["cloudflare"]
    api.planned.append(Fault(match="POST ZeroTrust*", effect="refused", status=503))

    told = project.refused("up", "--yes", "--skip-preview")
    assert "cloudflare refused POST" in told
    assert "503" in told

    project.up()
    assert len(records(project, "cloudflare", "ZeroTrustTunnelCloudflared")) == 1


def test_a_lost_answer_is_told_as_one_and_the_orphan_is_found_by_its_name(project):
    project.want("cloudflare:ZeroTrustTunnelCloudflared", "tunnel", TUNNEL)
    api = project.clouds.apis["cloudflare"]
    api.planned.append(Fault(match="POST ZeroTrust*", effect="lost answer"))

    told = project.refused("up", "--yes", "--skip-preview")
    assert "it may have been made all the same" in told
    assert len(records(project, "cloudflare", "ZeroTrustTunnelCloudflared")) == 1
    assert api.counted["POST ZeroTrustTunnelCloudflared"] == 1

    told = project.refused("up", "--yes", "--skip-preview")
    assert "You already have a tunnel with this name: testing" in told

    (orphan,) = records(project, "cloudflare", "ZeroTrustTunnelCloudflared")
    project.want(
        "cloudflare:ZeroTrustTunnelCloudflared",
        "tunnel",
        TUNNEL,
        import_=f"{ACCOUNT_ID}/{orphan.id}",
    )
    project.up()
    assert [orphan] == records(project, "cloudflare", "ZeroTrustTunnelCloudflared")


def test_a_silent_cloud_is_given_up_after_the_programs_own_timeout(project):
    project.want("hcloud:Network", "private", NETWORK, custom_timeouts={"create": "1s"})
    api = project.clouds.apis["hcloud"]
    api.planned.append(Fault(match="POST Network", effect="silence"))
    started = time.monotonic()

    told = project.refused("up", "--yes", "--skip-preview")

    assert "no answer" in told
    assert time.monotonic() - started < 20
    assert records(project, "hcloud", "Network") == []


def test_look_ups_find_the_zone_and_a_tunnels_token(site):
    (tunnel,) = records(site, "cloudflare", "ZeroTrustTunnelCloudflared")
    site.lookups = [
        {
            "name": "zone",
            "token": "cloudflare:index/getZone:getZone",
            "arguments": {"filter": {"name": DOMAIN, "match": "all"}},
        },
        {
            "name": "token",
            "token": "cloudflare:index/getZeroTrustTunnelCloudflaredToken:"
            "getZeroTrustTunnelCloudflaredToken",
            "arguments": {"accountId": ACCOUNT_ID, "tunnelId": tunnel.id},
        },
    ]
    site.up()

    assert site.outputs()["zone"]["zoneId"] == ZONE_ID
    assert site.outputs()["token"] == "[secret]"


def test_secrets_are_sealed_in_the_state(project):
    policy = {"effect": "allow", "permissionGroups": [{"id": "1"}], "resources": "{}"}
    project.want(
        "cloudflare:ApiToken", "backups", {"name": "backups", "policies": [policy]}, "value"
    )
    project.up()

    (token,) = records(project, "cloudflare", "ApiToken")
    stored = project.pulumi("stack", "export").stdout
    assert token.outputs["value"] not in stored
    assert TOKEN not in stored
    assert project.outputs("--show-secrets")["backups.value"] == token.outputs["value"]


def test_a_resource_without_a_name_gets_one_and_keeps_it(project):
    project.want("hcloud:Network", "private", {"ipRange": "10.0.0.0/16"})
    project.up()
    (network,) = records(project, "hcloud", "Network")

    assert network.outputs["name"].startswith("private-")
    project.up("--expect-no-changes")


def test_without_the_labs_address_it_refuses(project):
    project.want("cloudflare:ZeroTrustTunnelCloudflared", "tunnel", TUNNEL)
    project.providers["cloudflare"] = {"apiToken": {"secret": TOKEN}}
    assert "must be the lab's" in project.refused("preview")

    # Reserved for documentation: nobody's, and yet no address of a lab.
    elsewhere = {"baseUrl": "https://192.0.2.1/client/v4", "apiToken": {"secret": TOKEN}}
    project.providers["cloudflare"] = elsewhere
    assert "the lab's own addresses alone" in project.refused("up", "--yes", "--skip-preview")


def test_the_token_is_not_sent_to_somebody_elses_api(project):
    project.want("cloudflare:ZeroTrustTunnelCloudflared", "tunnel", TUNNEL)
    project.providers["cloudflare"]["baseUrl"] = project.clouds.endpoints["hcloud"]

    assert "expected cloudflare" in project.refused("up", "--yes", "--skip-preview")
    assert not project.clouds.apis["hcloud"].calls
