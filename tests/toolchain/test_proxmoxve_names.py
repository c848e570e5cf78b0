"""The plugin that we build has the names of the released one, compared with the Python package.

The package was generated from the released plugin's schema, so equal names in every resource and
function mean that a program cannot tell the two apart by name.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import subprocess
from pathlib import Path

import pulumi_proxmoxve
import pytest
from pulumi._types import input_type_py_to_pulumi_names

from toolchain.cache import Cache
from toolchain.catalog import TOOLS
from toolchain.tool import ROOT

PACKAGE = Path(pulumi_proxmoxve.__file__).parent
OURS = json.loads((ROOT / "lab/standins/schemas/proxmoxve.json").read_text())
PLUGIN = Cache.of_this_user().root / next(
    tool.module.output for tool in TOOLS if tool.name == "proxmoxve plugin" and tool.module
)
RESOURCE = re.compile(r"__self__\)\.__init__\(\s*'(proxmoxve:[^']+)'")
FUNCTION = re.compile(r"runtime\.invoke(?:_output)?\('(proxmoxve:[^']+)'")

pytestmark = pytest.mark.engine


def resource_files():
    found = {}
    for path in PACKAGE.rglob("*.py"):
        for token in RESOURCE.findall(path.read_text()):
            found[token] = path
    return found


def class_of(path):
    (name,) = re.findall(r"^class (\w+)\(pulumi\.CustomResource\)", path.read_text(), re.M)
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    module = importlib.import_module(".".join((PACKAGE.name, *parts)))
    return getattr(module, name), getattr(module, f"{name}Args")


@pytest.fixture(scope="module")
def schema():
    if not PLUGIN.is_file():
        pytest.skip("the plugin is not in the cache: make tools")
    printed = subprocess.run([PLUGIN, "-schema"], capture_output=True, text=True, check=False)
    if printed.returncode:
        pytest.skip("the plugin in the cache is the released one")
    return json.loads(printed.stdout)


def test_every_resource_and_function_has_its_token(schema):
    functions = {
        token for path in PACKAGE.rglob("*.py") for token in FUNCTION.findall(path.read_text())
    }

    assert set(schema["resources"]) == set(resource_files())
    # The bridge adds a function about the provider itself, which no package carries.
    assert {name for name in schema["functions"] if name.startswith("proxmoxve:")} == functions


def test_every_input_of_every_resource_has_its_name(schema):
    wrong = {}
    for token, path in resource_files().items():
        _, args = class_of(path)
        expected = set(input_type_py_to_pulumi_names(args).values())
        if found := expected ^ set(schema["resources"][token].get("inputProperties", {})):
            wrong[token] = found

    assert wrong == {}


def test_our_own_list_of_inputs_is_the_plugins(schema):
    wrong = {}
    for resource in OURS["resources"].values():
        built = set(schema["resources"][resource["token"]].get("inputProperties", {}))
        if found := set(resource["inputs"]) ^ built:
            wrong[resource["token"]] = found

    # Our list was taken from the Terraform provider one release before the package's.
    assert wrong == {"proxmoxve:backup/job:Job": {"excludes"}}


def test_every_output_of_every_resource_has_its_name(schema):
    wrong = {}
    for token, path in resource_files().items():
        resource, _ = class_of(path)
        expected = {
            getattr(member.fget, "_pulumi_name", name)
            for name, member in inspect.getmembers(resource, lambda m: isinstance(m, property))
        } - {"id", "urn", "pulumi_resource_name", "pulumi_resource_type"}
        if found := expected ^ set(schema["resources"][token].get("properties", {})):
            wrong[token] = found

    assert wrong == {}


def test_every_field_of_every_nested_type_has_its_name(schema):
    written = {}
    for folder in [PACKAGE, *(path.parent for path in PACKAGE.rglob("_inputs.py"))]:
        module = ".".join((PACKAGE.name, *folder.relative_to(PACKAGE).parts, "_inputs"))
        for name, cls in inspect.getmembers(importlib.import_module(module), inspect.isclass):
            if name.endswith("Args"):
                area = "/".join(folder.relative_to(PACKAGE).parts) or "index"
                written[f"{area}/{name.removesuffix('Args')}".lower()] = set(
                    input_type_py_to_pulumi_names(cls).values()
                )
    built = {
        re.sub(r"^proxmoxve:(.*):.*$", r"\1", token).lower(): set(type_.get("properties", {}))
        for token, type_ in schema["types"].items()
    }

    assert written
    assert {key: fields ^ built.get(key, set()) for key, fields in written.items()} == {
        key: set() for key in written
    }
