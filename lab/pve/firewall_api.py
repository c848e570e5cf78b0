"""The calls about the firewall of one VM, which is written down and filters nothing."""

from __future__ import annotations

from fastapi import FastAPI

from .cluster import Cluster
from .forms import Answer, Form, number
from .records import Vm
from .refused import Refused

FIREWALL = "/api2/json/nodes/{node}/qemu/{vm_id}/firewall"


def add(app: FastAPI, cluster: Cluster) -> None:
    """Add the calls to the API."""

    @app.get(FIREWALL + "/options")
    def options(vm_id: int) -> Answer:
        return {"data": {k: number(v) for k, v in cluster.vm(vm_id).firewall.items()}}

    @app.put(FIREWALL + "/options")
    def set_options(vm_id: int, form: Form) -> Answer:
        with cluster.changing():
            _update(cluster.vm(vm_id).firewall, form)
        return {"data": None}

    @app.get(FIREWALL + "/rules")
    def rules(vm_id: int) -> Answer:
        vm = cluster.vm(vm_id)
        return {"data": [_rule(vm, pos) for pos in range(len(vm.rules))]}

    @app.post(FIREWALL + "/rules")
    def add_rule(vm_id: int, form: Form) -> Answer:
        # Proxmox puts a new rule first unless it is told where.
        with cluster.changing():
            cluster.vm(vm_id).rules.insert(int(form.pop("pos", "0")), form)
        return {"data": None}

    @app.get(FIREWALL + "/rules/{pos}")
    def rule(vm_id: int, pos: int) -> Answer:
        # The position comes as it was asked for: in a list a number, here a string.
        return {"data": _rule(cluster.vm(vm_id), pos) | {"pos": str(pos)}}

    @app.put(FIREWALL + "/rules/{pos}")
    def change_rule(vm_id: int, pos: int, form: Form) -> Answer:
        with cluster.changing():
            vm = cluster.vm(vm_id)
            _rule(vm, pos)
            if "moveto" in form:
                vm.rules.insert(int(form["moveto"]), vm.rules.pop(pos))
            else:
                _update(vm.rules[pos], form)
        return {"data": None}

    @app.delete(FIREWALL + "/rules/{pos}")
    def delete_rule(vm_id: int, pos: int) -> Answer:
        with cluster.changing():
            vm = cluster.vm(vm_id)
            _rule(vm, pos)
            del vm.rules[pos]
        return {"data": None}


def _update(kept: dict[str, str], form: dict[str, str]) -> None:
    for key in filter(None, form.pop("delete", "").split(",")):
        kept.pop(key, None)
    kept.update(form)


def _rule(vm: Vm, pos: int) -> Answer:
    if pos >= len(vm.rules):
        raise Refused(f"no rule at position {pos}")
    rule = vm.rules[pos]
    return {**{k: number(v) if k == "enable" else v for k, v in rule.items()}, "pos": pos}
