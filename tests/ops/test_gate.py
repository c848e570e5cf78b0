"""A plan that loses data or quorum is refused, unless somebody wrote down that it may."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops import gate
from ops.waivers import LONGEST, WaiversError, load

TODAY = date(2026, 11, 21)
URN = "urn:pulumi:production::coldstorage::{}::{}"
VM, BUCKET = "proxmoxve:index/vmLegacy:VmLegacy", "cloudflare:index/r2Bucket:R2Bucket"


def step(op: str, kind: str, name: str = "it", **more: object) -> dict[str, Any]:
    return {"op": op, "urn": URN.format(f"coldstorage:a:Parent${kind}", name), **more}


def refused(*steps: dict[str, Any]) -> list[str]:
    return [str(loss) for loss in gate.losses({"steps": steps})]


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (VM, "a machine"),
        ("hcloud:index/volume:Volume", "a disk of data"),
        (BUCKET, "backups"),
        ("random:index/randomPassword:RandomPassword", "a secret"),
        ("tls:index/privateKey:PrivateKey", "a key"),
        ("kubernetes:core/v1:Namespace", "everything"),
        ("kubernetes:core/v1:PersistentVolumeClaim", "a volume"),
        ("pulumi:providers:kubernetes", "everything that it made"),
        (gate.DEPLOY, "members of a group"),
        ("another:index/thing:Thing", "nobody has said yet"),
    ],
)
@pytest.mark.parametrize("op", ["delete", "replace"])
def test_what_holds_data_or_quorum_is_neither_deleted_nor_replaced(op, kind, what):
    (told,) = refused(step(op, kind, "one"))

    assert told.startswith(op)
    assert f"one: {what}" in told


@pytest.mark.parametrize("op", ["same", "create", "update", "read", "refresh", "import"])
def test_what_stays_is_nobodys_concern(op):
    assert not refused(step(op, VM))


def test_what_can_be_made_again_may_go():
    assert not refused(
        step("delete", "kubernetes:apps/v1:Deployment"),
        step("replace", "tls:index/locallySignedCert:LocallySignedCert"),
        step("delete", "cloudflare:index/dnsRecord:DnsRecord"),
    )


def test_a_replacement_is_told_once_and_with_its_reason():
    steps = [
        step("create-replacement", VM, replaceReasons=["nodeName"]),
        step("replace", VM, replaceReasons=["nodeName"]),
        step("delete-replaced", VM),
    ]

    (told,) = refused(*steps)
    assert told.endswith("because of nodeName")


def test_a_member_that_leaves_its_group_is_a_loss_and_one_that_joins_is_not():
    def hosts(*names: str) -> dict[str, Any]:
        return {"inputs": {"hosts": dict.fromkeys(names, 0)}}

    shrinks = step("update", gate.DEPLOY, oldState=hosts("a", "b"), newState=hosts("b", "c"))
    grows = step("update", gate.DEPLOY, oldState=hosts("a"), newState=hosts("a", "b"))

    assert refused(shrinks) == ["update   it: a would leave the group"]
    assert not refused(grows)


def waiver(**changed: object) -> dict[str, Any]:
    given = {
        "urn": URN.format(VM, "it"),
        "reason": "moved to the new host, data copied",
        "author": "anna",
        "expires": str(TODAY),
    }
    return {key: value for key, value in {**given, **changed}.items() if value is not None}


def written(folder: Path, *entries: object) -> Path:
    file = folder / "waivers.yaml"
    file.write_text(yaml.safe_dump([*entries]))
    return file


def test_a_waiver_lets_its_resource_go_and_no_other(tmp_path):
    waivers = load(written(tmp_path, waiver()), TODAY)
    mine, other = ({"op": "delete", "urn": URN.format(VM, name)} for name in ("it", "other"))

    told, allowed = gate.judge([*gate.losses({"steps": [mine]})], waivers)
    assert allowed
    assert "by anna: moved to the new host" in told[1]
    told, allowed = gate.judge([*gate.losses({"steps": [mine, other]})], waivers)
    assert not allowed
    assert any(line.startswith("REFUSED delete   other") for line in told)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"expires": str(TODAY - timedelta(days=1))}, "expired on 2026-11-20"),
        ({"expires": str(TODAY + LONGEST + timedelta(days=1))}, "at the latest"),
        ({"reason": "because"}, "waivers.yaml[0].reason"),
        ({"author": None}, "waivers.yaml[0].author: is missing"),
        ({"urn": "it"}, "waivers.yaml[0].urn"),
        ({"expires": "soon"}, "waivers.yaml[0].expires"),
        ({"because": "more"}, "because"),
    ],
)
def test_a_waiver_that_says_too_little_or_too_long_is_refused(tmp_path, changed, told):
    with pytest.raises(WaiversError) as failed:
        load(written(tmp_path, waiver(**changed)), TODAY)

    assert told in str(failed.value)


def test_every_fault_of_the_file_is_told_at_once(tmp_path):
    with pytest.raises(WaiversError) as failed:
        load(written(tmp_path, waiver(author=None), waiver(), waiver(), "no mapping"), TODAY)

    told = str(failed.value).splitlines()
    assert [line.partition("]")[0] for line in told] == [
        "waivers.yaml[0", "waivers.yaml[2", "waivers.yaml[3",
    ]  # fmt: skip


def test_without_a_file_nothing_is_waived(tmp_path):
    assert load(tmp_path / "none.yaml", TODAY) == {}


def test_the_command_reads_a_plan_and_ends_as_it_judges(tmp_path, capsys):
    plan = tmp_path / "plan.json"
    for steps, code in (([step("delete", BUCKET)], 1), ([step("same", BUCKET)], 0)):
        plan.write_text(json.dumps({"steps": steps}))
        with pytest.raises(SystemExit) as ended:
            gate.main(["testing", "--plan", str(plan), "--waivers", str(tmp_path / "none.yaml")])
        assert ended.value.code == code
    assert "REFUSED delete   it: backups" in capsys.readouterr().out
