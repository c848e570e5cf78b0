"""The catalogue agrees with itself, with the Go modules and with the locked Python packages."""

import re

import pytest

from toolchain.catalog import TOOLS
from toolchain.tool import ROOT

REQUIREMENTS = (ROOT / "requirements.txt").read_text()


def builds():
    return [
        (tool, build)
        for tool in TOOLS
        for build in (tool.module, tool.standin)
        if build is not None
    ]


def test_only_the_labs_own_programs_come_from_nowhere_else():
    nowhere = {tool.name for tool in TOOLS if not tool.download and not tool.module}

    assert nowhere == {"lab-edge", "cloudflared"}


def test_every_pin_is_a_sha256():
    pins = [pin for tool in TOOLS if tool.download for pin in tool.download.sha256.values()]

    assert pins
    assert all(re.fullmatch(r"[0-9a-f]{64}", pin) for pin in pins)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_every_tool_has_a_source(tool):
    assert tool.download or tool.module or tool.standin


@pytest.mark.parametrize(
    "tool", [tool for tool in TOOLS if tool.download], ids=lambda tool: tool.name
)
def test_every_download_can_be_verified(tool):
    assert tool.download.url.startswith("https://")
    assert tool.download.sha256 or tool.download.checksums.startswith("https://")


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_every_tool_says_what_to_do_by_hand(tool):
    assert "https://" in tool.by_hand.format(version=tool.version)


@pytest.mark.parametrize(("tool", "build"), builds(), ids=lambda value: getattr(value, "name", ""))
def test_every_build_is_there_and_locked(tool, build):
    folder = ROOT / build.directory

    assert tool.name
    assert (folder / "go.mod").is_file()
    assert (folder / "go.sum").is_file()
    assert all((folder / part).exists() for part in build.made_of)


@pytest.mark.parametrize("directory", sorted({build.directory for _, build in builds()}))
def test_every_module_requires_the_sdk_of_the_catalogues_pulumi(directory):
    pulumi = next(tool for tool in TOOLS if tool.name == "pulumi")

    go_mod = (ROOT / directory / "go.mod").read_text()

    required = set(re.findall(r"github.com/pulumi/pulumi/(?:sdk|pkg)/v3 v(\S+)", go_mod))
    assert required == ({pulumi.version} if "github.com/pulumi/" in go_mod else set())


@pytest.mark.parametrize(
    "tool", [tool for tool in TOOLS if tool.name.endswith(" plugin")], ids=lambda tool: tool.name
)
def test_every_plugin_has_the_version_of_its_python_package(tool):
    package = f"pulumi-{tool.name.removesuffix(' plugin')}"
    locked = re.search(rf"^{package}==(\S+)", REQUIREMENTS, re.M)

    if locked is None:
        assert tool.only_for, "only an optional plugin may wait for its package"
    else:
        assert locked[1] == tool.version


def test_nothing_here_names_a_registrys_host():
    hosts = re.compile("proxy.golang" + ".org|deb.debian" + ".org|pypi.org/" + "simple")
    files = [
        path
        for folder in ("toolchain", "lab/standins")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]

    assert [path for path in files if hosts.search(path.read_text())] == []
