"""The lab runs the program that production runs: only where things are may differ."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import yaml

from components.monitoring_section import Images
from components.sections import METALLB
from lab import monitoring_images, up
from lab.checkout import ROOT, STACKS
from lab.internet import Site
from lab.machines import Place
from lab.machines.host import HostError
from lab.serve import Served
from lab.stack import HOSTS_ON_RECORDS, endpoints, overlaid, program, stack_file_of, write
from lab.tunnel_images import IMAGES

# All that the lab's stack file may say otherwise, besides the encrypted credentials.
ENDPOINTS = {
    "coldstorage:proxmox.fingerprint",
    "coldstorage:cloudflare.endpoint",
    "coldstorage:cloudflare.account_id",
    "coldstorage:cloudflare.zone_id",
    "coldstorage:cloudflare.r2_endpoint",
    "coldstorage:cloudflare.r2_authority",
    # The nearest version to the stack's that can be built where K3s can't be had.
    "coldstorage:kubernetes.version",
    "coldstorage:kubernetes.mirror",
    "coldstorage:kubernetes.sha256.k3s",
    # The very file that the stack names, where it can't be fetched.
    "coldstorage:kubernetes.metallb.place",
    "coldstorage:kubernetes.metallb.sha256",
    # The lab's registry, and what is in it under the application's name.
    "coldstorage:application.digest",
    "coldstorage:kubernetes.registries.*.endpoint",
    "coldstorage:kubernetes.registries.*.authority",
    "coldstorage:kubernetes.sha256.k3s-airgap-images-amd64.tar",
}


def flat(value, path=""):
    """Return every leaf of a document by its path."""
    if not isinstance(value, dict):
        return {path: value}
    return {
        leaf: found
        for key, part in value.items()
        for leaf, found in flat(part, f"{path}.{key}" if path else key).items()
    }


@pytest.mark.parametrize("stack", STACKS)
def test_the_labs_stack_differs_in_endpoints_alone(stack, tmp_path):
    authority = tmp_path / "ca.pem"
    authority.write_text("-----BEGIN CERTIFICATE-----")
    real = stack_file_of(stack)
    host = real["config"]["coldstorage:proxmox"]["endpoint"].rstrip("/")
    where = endpoints(
        proxmox=Served(endpoint=host, fingerprint="AB"),
        cloudflare=Served(endpoint=f"https://{Site.CLOUDFLARE.address}:443", fingerprint="CD"),
        authority=authority,
        release={
            "version": "v1.33.4+k3s1",
            "mirror": "/release",
            "sha256": {"k3s": "0" * 64, "k3s-airgap-images-amd64.tar": "1" * 64},
            "metallb": {"place": "/metallb.yaml", "sha256": METALLB.sha256},
        },
        application={"digest": "2" * 64},
    )

    before, after = flat(real["config"]), flat(overlaid(real, where)["config"])

    differing = {key for key in before | after if before.get(key) != after.get(key)}
    assert differing == ENDPOINTS


@pytest.mark.parametrize("stack", STACKS)
def test_where_a_stack_pins_an_image_the_lab_pins_its_own_and_nothing_else(stack):
    real = stack_file_of(stack)["config"]

    assert IMAGES
    for section, key in IMAGES:
        assert "@sha256:" in real[f"coldstorage:{section}"][key]


def test_the_lab_has_all_that_watches_a_platform_but_its_pictures():
    assert set(Images.model_fields) - monitoring_images.IMAGES.keys() == {"grafana"}
    assert "LEFT OUT" in monitoring_images.LEFT_OUT


def test_the_labs_project_is_the_real_one_seen_from_another_folder():
    real = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    (plugin,) = real["plugins"]["providers"]

    made = program()

    assert made.pop("main") == str(ROOT)
    assert Path(made["runtime"]["options"].pop("virtualenv")) == (
        ROOT / real["runtime"]["options"].pop("virtualenv")
    )
    assert Path(made["plugins"]["providers"][0].pop("path")) == ROOT / plugin.pop("path")
    assert made == real


def test_hosts_are_records_only_where_machines_are():
    assert inspect.signature(write).parameters["hosts"].default is None
    assert inspect.signature(up.up).parameters["bare"].default is False
    assert program(HOSTS_ON_RECORDS)["plugins"]["providers"] == [
        {"name": "pyinfra", "path": str(ROOT / "lab" / "hosts_on_records")},
        {"name": "kubernetes", "path": str(ROOT / "lab" / "cluster_on_records")},
    ]


def test_a_lab_whose_hosts_are_records_never_becomes_one_whose_are_not(monkeypatch, tmp_path):
    monkeypatch.setattr(up, "place_of", lambda _: Place("none", home=tmp_path))
    monkeypatch.setattr("lab.preflight.check", lambda _: None)

    def made(_name: str, place: Place, _hosts: Path | None) -> int:
        (place.folder / "project").mkdir(exist_ok=True)
        return 0

    monkeypatch.setattr(up, "_up", made)

    assert up.up("testing", bare=True) == up.up("testing", bare=True) == 0
    with pytest.raises(HostError, match="was made bare"):
        up.up("testing")


def test_the_overlay_changes_no_neighbour():
    real = {"config": {"coldstorage:proxmox": {"endpoint": "a", "bridge": "vmbr0"}}}

    made = overlaid(real, {"proxmox": {"endpoint": "b"}})

    assert made == {"config": {"coldstorage:proxmox": {"endpoint": "b", "bridge": "vmbr0"}}}
    assert real["config"]["coldstorage:proxmox"]["endpoint"] == "a"
