"""What a killed run left is known by this stack's mark, and nothing else is touched."""

from __future__ import annotations

import pytest

from components import leftovers
from components.machines.leftovers import questions
from components.machines.replacements import IMAGE, POOL, RULES, VM
from components.proxmox_api import FoundVm

TAGS = ["database", "pulumi", "testing"]
PROVIDER = "urn:pulumi:testing::coldstorage::pulumi:providers:proxmoxve::proxmox"


class Api:
    """A Proxmox with one VM; it raises on anything unexpected."""

    def __init__(self, *, tags=TAGS, status="stopped", rules=()) -> None:
        self._vm = FoundVm(
            vm_id=221, name="db-node2", node="pve2", tags=frozenset(tags), status=status
        )
        self._rules, self.done = rules, []

    def find_vm(self, vm_id):
        return self._vm if vm_id == 221 else None

    def list(self, path):
        return {
            "/pools": [{"poolid": "testing"}],
            "/nodes/pve2/qemu/221/firewall/rules": list(self._rules),
            "/nodes/pve2/storage/local/content": [{"volid": "local:import/debian.qcow2"}],
        }[path]

    def run(self, method, path):
        self.done.append(f"{method} {path}")


def planned(kind: str, **inputs):
    return {
        "type": kind,
        "urn": f"urn:pulumi:testing::coldstorage::a${kind}::thing",
        "parent": "urn:pulumi:testing::coldstorage::a::above",
        "provider": f"{PROVIDER}::an-id",
        "inputs": inputs,
    }


def found(api, *wanted):
    return [one.found.import_id for one in leftovers.of(wanted, questions(api))]


def test_a_vm_with_this_stacks_tags_is_found_where_it_is():
    assert found(Api(), planned(VM, vmId=221, tags=TAGS)) == ["pve2/221"]


@pytest.mark.parametrize("tags", [[], ["pulumi"], ["pulumi", "production", "database"]])
def test_a_vm_without_each_of_them_is_somebody_elses(tags):
    assert found(Api(tags=tags), planned(VM, vmId=221, tags=TAGS)) == []


def test_what_is_not_there_is_no_leftover():
    wanted = [planned(VM, vmId=222, tags=TAGS), planned(POOL, poolId="production")]

    assert found(Api(), *wanted) == []


def test_a_pool_of_this_name_is_found():
    assert found(Api(), planned(POOL, poolId="testing")) == ["testing"]


def test_rules_are_found_only_where_there_are_some():
    wanted = planned(RULES, nodeName="pve2", vmId=221)

    assert found(Api(), wanted) == []
    assert found(Api(rules=[{"pos": 0}]), wanted) == ["vm/pve2/221"]


def test_rules_of_a_machine_that_is_not_there_yet_are_not_asked_for():
    unknown = planned(RULES, nodeName="pve2", vmId="04da6b54-80e4-46f7-96ec-b56ff0331ba9")

    assert found(Api(), unknown, planned(RULES, nodeName="pve2", vmId=222)) == []


def test_what_the_program_makes_elsewhere_is_not_asked_for():
    assert found(Api(), planned("random:index/randomId:RandomId", byteLength=8)) == []


def test_an_image_that_may_be_half_of_one_is_deleted_and_not_adopted():
    where = {"nodeName": "pve2", "datastoreId": "local", "contentType": "import"}
    api = Api()
    (one,) = leftovers.of([planned(IMAGE, **where, fileName="debian.qcow2")], questions(api))

    one.found.make_ready()

    assert one.found.import_id is None
    assert api.done == ["DELETE /nodes/pve2/storage/local/content/local%3Aimport%2Fdebian.qcow2"]
    assert found(api, planned(IMAGE, **where, fileName="another.qcow2")) == []


@pytest.mark.parametrize(
    ("status", "done"),
    [("running", ["POST /nodes/pve2/qemu/221/status/stop"]), ("stopped", [])],
)
def test_a_running_machine_is_stopped_for_its_adoption(status, done):
    api = Api(status=status)
    (one,) = leftovers.of([planned(VM, vmId=221, tags=TAGS)], questions(api))

    one.found.make_ready()

    assert api.done == done
    assert one.provider == PROVIDER
