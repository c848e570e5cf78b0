"""What the lab's Kubernetes is made of can be built, and is no part of what everybody needs."""

import re

import pytest

from toolchain.catalog import TOOLS
from toolchain.cluster import K3S, KUBERNETES, MINORS, MONITORING, REAL_K3S, cluster_tools
from toolchain.tool import ROOT


def test_it_is_built_on_demand_only():
    on_demand = (*cluster_tools(), *MONITORING)

    assert not {tool.name for tool in TOOLS} & {tool.name for tool in on_demand}


@pytest.mark.parametrize("version", MINORS)
def test_every_version_is_required_by_a_module_of_its_own(version):
    folder = ROOT / "toolchain/modules" / MINORS[version]
    text = (folder / "go.mod").read_text()

    assert re.findall(r"k8s.io/kubernetes v(\S+)", text) == [version]
    assert set(re.findall(r"=> k8s.io/\S+ v0\.(\S+)", text)) == {version.removeprefix("1.")}
    assert (folder / "go.sum").stat().st_size


@pytest.mark.parametrize("tool", [*cluster_tools(), *MONITORING], ids=lambda tool: tool.name)
def test_every_build_is_there_and_locked(tool):
    build = tool.module or tool.standin
    folder = ROOT / build.directory

    assert (folder / "go.mod").is_file()
    assert (folder / "go.sum").is_file()


def test_the_default_is_the_stacks_minor():
    stack = re.search(r"version: v(\d+\.\d+)", (ROOT / "Pulumi.testing.yaml").read_text())[1]

    assert KUBERNETES.startswith(stack)


def test_the_real_one_is_the_stacks_and_nothing_fails_without_it():
    for stack in ("testing", "production"):
        assert f"version: v{K3S}\n" in (ROOT / f"Pulumi.{stack}.yaml").read_text()
    assert all(tool.only_for for tool in REAL_K3S)
