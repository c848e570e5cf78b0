"""The fingerprint guard, before real TLS servers on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

import pytest

from components import guard
from components.guard import GuardError
from components.sections import Cloudflare, Hetzner, Proxmox
from components.tokens import Tokens
from lab.clouds import Records, cloudflare, hetzner
from lab.clouds.cloudflare import ACCOUNT_ID, ZONE_ID
from lab.pve.api import api
from lab.pve.cluster import Cluster
from lab.serve import Authority, serving
from ops.stack_files import settings_of

DOMAIN = "ailakshya.in"
PROXMOX_TOKEN = "pulumi@pve!t=canary-proxmox"
BEARER = "canary-bearer"


@dataclass
class World:
    """The APIs that really answer, and every call that Proxmox got."""

    proxmox: str
    fingerprint: str
    cloudflare: str
    hetzner: str
    calls: list[str]
    cluster: Cluster


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Iterator[World]:
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("world")
        authority = Authority(folder)
        patch.setenv("SSL_CERT_FILE", str(authority.certificate))
        cluster = Cluster()
        pve = api(cluster, PROXMOX_TOKEN)
        flare = cloudflare.cloudflare(Records(folder / "cloudflare.json"), domain=DOMAIN)
        hcloud = hetzner.hetzner(Records(folder / "hetzner.json"), project="docfast")
        proxmox = stack.enter_context(serving(pve, "proxmox", authority))
        zones = stack.enter_context(
            serving(cloudflare.api_of(flare, BEARER), "cloudflare", authority)
        )
        projects = stack.enter_context(
            serving(hetzner.api_of(hcloud, BEARER), "hetzner", authority)
        )
        yield World(
            proxmox=proxmox.endpoint,
            fingerprint=proxmox.fingerprint,
            cloudflare=zones.endpoint,
            hetzner=projects.endpoint,
            calls=pve.state.calls,
            cluster=cluster,
        )


def named(world: World, *, proxmox=None, cloudflare=None, tokens=None, **sections):
    """Check a stack that names ``world``, but for what a test says otherwise."""
    settings = settings_of("testing")
    here = {"endpoint": world.proxmox, "fingerprint": world.fingerprint}
    edge = {
        "endpoint": f"{world.cloudflare}/client/v4",
        "account_id": ACCOUNT_ID,
        "zone_id": ZONE_ID,
    }
    guard.check(
        replaced(
            settings,
            proxmox=Proxmox.model_validate(settings.proxmox.model_dump() | here | (proxmox or {})),
            cloudflare=Cloudflare.model_validate(
                settings.cloudflare.model_dump() | edge | (cloudflare or {})
            ),
            **sections,
        ),
        tokens or Tokens(proxmox=PROXMOX_TOKEN, cloudflare=BEARER, hcloud=BEARER),
    )


def replaced(settings, **sections):
    return replace(settings, **sections)


def refusal(world: World, **otherwise) -> str:
    with pytest.raises(GuardError) as refused:
        named(world, **otherwise)
    return str(refused.value)


def test_the_host_and_account_that_the_stack_names_are_let_through(world):
    named(world)


def test_another_host_is_refused_before_it_is_shown_a_token(world):
    asked = len(world.calls)

    message = refusal(world, proxmox={"fingerprint": ":".join(["AB"] * 32)})

    assert f"presents the certificate {world.fingerprint}, expected AB:AB" in message
    assert len(world.calls) == asked


def test_an_unpinned_host_is_refused_and_told_what_it_presents(world):
    message = refusal(world, proxmox={"fingerprint": "unpinned"})

    assert f"coldstorage:proxmox.fingerprint: unpinned, but {world.proxmox}" in message
    assert world.fingerprint in message
    assert "make secrets" in message


def test_a_node_that_the_cluster_lacks_is_named(world):
    nodes = {"pve9": {"cores": 80, "memory_gib": 125, "disk_gib": 4000}}

    assert "coldstorage:proxmox.nodes.pve9: the cluster at" in refusal(
        world, proxmox={"nodes": nodes}
    )


def test_another_account_and_zone_are_refused_by_id(world):
    message = refusal(world, cloudflare={"account_id": "f" * 32, "zone_id": "e" * 32})

    assert f"account_id: {DOMAIN} has {ACCOUNT_ID}, expected {'f' * 32}" in message
    assert f"zone_id: {DOMAIN} has {ZONE_ID}, expected {'e' * 32}" in message


def test_the_token_of_the_other_environment_sees_no_zone(world):
    settings = settings_of("testing")
    other = settings.environment.model_copy(update={"domain": "gurukripacoldstore.in"})

    message = refusal(world, environment=other)

    assert "the token sees no zone gurukripacoldstore.in" in message


def test_a_firewall_that_is_off_is_told_and_lets_pass(world, monkeypatch):
    told: list[str] = []
    monkeypatch.setattr("pulumi.log.warn", told.append)

    named(world)
    assert not told

    monkeypatch.setattr(world.cluster, "firewall", False)
    named(world)
    assert "so the rules of its machines do nothing" in told[0]


def test_every_refusal_is_told_at_once_and_none_shows_a_token(world):
    message = refusal(
        world,
        cloudflare={"zone_id": "unpinned"},
        tokens=Tokens(proxmox="wrong-canary-a", cloudflare=BEARER),
    )

    assert "coldstorage:proxmox.endpoint" in message
    assert "401" in message
    assert "coldstorage:cloudflare.zone_id: unpinned" in message
    assert "canary" not in message


def test_an_api_that_is_not_there_is_an_answer_not_a_hang(world):
    message = refusal(world, proxmox={"endpoint": "https://127.0.0.1:1"})

    assert "127.0.0.1:1 can't be reached" in message


def test_a_hetzner_project_without_its_marker_is_refused(world):
    hetzner = {
        "project": "other",
        "endpoint": f"{world.hetzner}/v1",
        "network_zone": "eu-central",
        "subnet": "10.0.1.0/24",
        "image": "debian-13",
    }

    assert not list(guard._hetzner(Hetzner(**hetzner | {"project": "docfast"}), BEARER))
    [fault] = guard._hetzner(Hetzner(**hetzner), BEARER)
    assert "holds no placement group project-other" in fault


def test_tokens_do_not_show_in_a_repr():
    assert "canary" not in repr(Tokens(proxmox="canary", cloudflare="canary", hcloud="canary"))
