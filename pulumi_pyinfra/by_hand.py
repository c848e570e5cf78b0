"""The same deploy by pyinfra's own command line, for the day when Pulumi is not at hand.

In the program's folder, with what the state says of the hosts::

    pulumi stack export --show-secrets > stack.json     # on a good day; it holds secrets
    pyinfra pulumi_pyinfra.by_hand.hosts pulumi_pyinfra.by_hand.deploy --dry

The file is ``stack.json``, or what ``STACK_EXPORT`` names (``/dev/stdin`` for one that is kept
encrypted). Where a stack has several groups of hosts, ``GROUP`` names the one that is meant.
The state knows nothing of what is done so: the next ``pulumi refresh`` will look.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyinfra.context import host

from . import contract
from .protocol import Action, Request
from .reached import Reached
from .wanted import TYPE, Wanted
from .worker.connecting import connector_of
from .worker.loading import load

# By this pyinfra finds the connector, as if the package were installed.
sys.path.append(str(Path(__file__).parent / "distribution"))

_SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105 - the key by which the state marks one


def hosts() -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Return pyinfra's inventory: the group as the state says it was last wanted."""
    group, state = _group()
    wanted = Wanted.parse(state)
    reached = Reached.of(state, wanted)
    return {group: [_host(name, wanted, reached) for name in wanted.hosts]}


def deploy() -> None:
    """Run the group's deploy; pyinfra calls it for each host."""
    request = host.data.wanted
    function = load(request)
    (told,) = request.hosts
    reading = contract.read(contract.contract_of(function), request.arguments, told.arguments)
    if not reading.complete:
        raise SystemExit("; ".join(map(str, reading.faults)))
    function(reading.value)


def _host(name: str, wanted: Wanted, reached: Reached) -> tuple[str, dict[str, Any]]:
    told = reached.recognised(wanted.hosts[name].reach(name))
    _, data = connector_of(told)
    request = Request(
        action=Action.APPLY,
        deploy=wanted.deploy,
        path=str(Path.cwd()),
        hosts=(told,),
        arguments=wanted.arguments if isinstance(wanted.arguments, Mapping) else {},
    )
    kind = "framed" if told.ssh else "chroot" if told.chroot else "local"
    where = {"framed": f"@framed/{name}", "chroot": f"@chroot/{told.chroot}", "local": "@local"}
    return where[kind], {**data, "wanted": request, "_sudo": wanted.sudo}


def _group() -> tuple[str, dict[str, Any]]:
    path = os.environ.get("STACK_EXPORT", "stack.json")
    resources = json.loads(Path(path).read_text())["deployment"]["resources"]
    groups = {r["urn"].split("::")[-1]: r["outputs"] for r in resources if r["type"] == TYPE}
    names = ", ".join(groups)
    asked = os.environ.get("GROUP", names)
    if asked not in groups:
        raise SystemExit(f"GROUP: expected one of {names}, got {asked}")
    return asked, _opened(groups[asked])


def _opened(value: Any) -> Any:  # noqa: ANN401 - it is JSON
    """Return plain data without the state's marks of secrets."""
    if isinstance(value, list):
        return [_opened(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _SECRET in value:
        if "plaintext" not in value:
            raise SystemExit("the secrets in it are encrypted: export with --show-secrets")
        return _opened(json.loads(value["plaintext"]))
    return {key: _opened(item) for key, item in value.items()}
