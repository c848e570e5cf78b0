"""What the engine asks of a deploy: check, diff, create, update, read, delete."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from pulumi.provider.experimental import provider as api
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime import rpc

from . import source_hash
from .engine import Engine
from .failures import DeployFailedError, PartlyDoneError
from .group import Group
from .reached import Reached
from .rollout import work
from .values import plain_map, secrets_in, wrapped
from .wanted import RESULTS, Wanted, faults
from .worker_process import Workers

Properties: TypeAlias = Mapping[str, PropertyValue]


class PyinfraProvider(api.Provider):
    """Serves one resource type, ``pyinfra:index:Deploy``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._workers = Workers(engine.debug if engine.wants_debug else None)
        self._running: set[Group] = set()

    async def configure(self, _: api.ConfigureRequest) -> api.ConfigureResponse:
        """Ask for secrets to be marked, and for previews to be answered."""
        return api.ConfigureResponse(accept_secrets=True, supports_preview=True)

    async def get_schema(self, _: api.GetSchemaRequest) -> api.GetSchemaResponse:
        """Return the schema, from which SDKs of other languages are made."""
        from .schema import schema  # noqa: PLC0415 - no run of a program asks for it

        return api.GetSchemaResponse(schema=json.dumps(schema()))

    async def check(self, request: api.CheckRequest) -> api.CheckResponse:
        """Refuse what the deploy's contract does not allow; add the hash of the deploy's source."""
        inputs = {k: v for k, v in request.new_inputs.items() if v.value is not None}
        told = plain_map(inputs)
        found = list(map(str, faults(told)))
        if not found:
            inputs["sourceHash"] = PropertyValue(await self._source_hash(told["deploy"]))
            # The contract is in the source: what it allowed once it allows again.
            if plain_map(inputs) != plain_map(request.old_inputs):
                found = await self._group(request.urn, inputs, {}).faults()
        # Without a property, which the engine would repeat with a value beside it.
        failures = [api.CheckFailure(property="", reason=fault) for fault in found]
        return api.CheckResponse(inputs=inputs, failures=failures or None)

    async def _source_hash(self, deploy: str) -> str:
        return await asyncio.to_thread(source_hash.of_deploy, deploy, Path.cwd())

    async def diff(self, request: api.DiffRequest) -> api.DiffResponse:
        """Compare what is wanted with what was reached; nothing is connected to."""
        old, new = plain_map(request.old_state), plain_map(request.new_inputs)
        kinds = api.PropertyDiffKind
        changed = {
            key: api.PropertyDiff(_kind(key, old, new), input_diff=True)
            for key in sorted({*new, *old} - {*RESULTS})
            if old.get(key) != new.get(key) and key not in request.ignore_changes
        }
        wanted = Wanted.parse(new)
        reached = Reached.of(old, wanted)
        todo = work(wanted.digests(), reached.applied, reached.drift)
        if not changed:
            # Then it is something inside of hosts: what was found there, or not reached yet.
            for host in (*todo.change, *todo.leave):
                key = "drift" if host in reached.drift else "applied"
                changed[f'{key}["{host}"]'] = api.PropertyDiff(kinds.UPDATE, input_diff=False)
        return api.DiffResponse(changes=bool(changed), detailed_diff=changed, diffs=list(changed))

    async def create(self, request: api.CreateRequest) -> api.CreateResponse:
        """Bring a new group to what is wanted, or tell in a preview what that would change."""
        inputs = request.properties
        if request.preview:
            return api.CreateResponse(properties=await self._tell(request.urn, inputs, {}))
        properties = await self._bring(request.urn, request.name, inputs, {})
        return api.CreateResponse(resource_id=request.name, properties=properties)

    async def update(self, request: api.UpdateRequest) -> api.UpdateResponse:
        """Bring the group from what was reached to what is wanted."""
        urn, news, olds = request.urn, request.news, request.olds
        if request.preview:
            return api.UpdateResponse(properties=await self._tell(urn, news, olds))
        properties = await self._bring(urn, request.resource_id, news, olds)
        return api.UpdateResponse(properties=properties)

    async def read(self, request: api.ReadRequest) -> api.ReadResponse:
        """Look at every host; what differs from what was reached is drift."""
        state = plain_map(request.properties)
        if "deploy" not in state:
            raise DeployFailedError(
                "a group of hosts can't be imported: nothing tells who is in it"
            )
        group = self._group(request.urn, request.properties, request.properties)
        drift = await self._while_running(group, group.drift())
        if drift and await self._source_hash(state["deploy"]) != state.get("sourceHash"):
            edited = f"{state['deploy']} was edited since the last update: that is in the drift too"
            await self._engine.say(request.urn, edited, warning=True)
        return api.ReadResponse(
            resource_id=request.resource_id,
            properties={**request.properties, "drift": wrapped(drift)},
            inputs=request.inputs,
        )

    async def delete(self, request: api.DeleteRequest) -> None:
        """Run ``on_delete`` where there is one; else leave the hosts as they are and say so."""
        group = self._group(request.urn, request.properties, request.properties)
        await self._while_running(group, group.delete())

    async def cancel(self) -> None:
        """Let what runs finish, and start nothing more."""
        await asyncio.gather(*(group.cancel() for group in list(self._running)))

    async def close(self) -> None:
        """End what waits for more to do."""
        await self._workers.close()

    async def _tell(
        self, urn: str, inputs: Properties, olds: Properties
    ) -> dict[str, PropertyValue]:
        group = self._group(urn, inputs, olds)
        await self._while_running(group, group.tell_plan())
        # PropertyValue.computed() can't be sent (SDK 3.272); the wire's own word for it can.
        return {**inputs, **{name: PropertyValue(rpc.UNKNOWN) for name in RESULTS}}

    async def _bring(
        self, urn: str, resource_id: str, inputs: Properties, olds: Properties
    ) -> dict[str, PropertyValue]:
        group = self._group(urn, inputs, olds)
        reasons = await self._while_running(group, group.bring(plain_map(olds)))
        properties = {**inputs, **_results(group.reached)}
        if reasons:
            properties["hosts"] = _with_leaving(inputs, olds, group.reached)
            raise PartlyDoneError(resource_id, properties, inputs, reasons)
        return properties

    def _group(self, urn: str, inputs: Properties, olds: Properties) -> Group:
        wanted = Wanted.parse(plain_map(inputs))
        reached = Reached.of(plain_map(olds), wanted)
        # What leaves the group has secrets too.
        secrets = {*secrets_in(inputs), *secrets_in(olds)}
        return Group(
            self._engine,
            self._workers,
            urn,
            wanted=wanted,
            reached=reached,
            secrets=sorted(secrets),
        )

    async def _while_running(self, group: Group, work: Any) -> Any:  # noqa: ANN401 - any result
        self._running.add(group)
        try:
            return await work
        finally:
            self._running.discard(group)


def _results(reached: Reached) -> dict[str, PropertyValue]:
    return {
        # From a digest a short secret could be guessed.
        "applied": wrapped(reached.applied).with_secret(True),
        "hostKeys": wrapped(reached.host_keys),
        "drift": wrapped(reached.drift),
        "settled": wrapped(reached.settled),
    }


def _kind(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> api.PropertyDiffKind:
    kinds = api.PropertyDiffKind
    if key not in old:
        return kinds.ADD
    return kinds.UPDATE if key in new else kinds.DELETE


def _with_leaving(inputs: Properties, olds: Properties, reached: Reached) -> PropertyValue:
    """Return the hosts with those that could not leave yet: the next update must reach them."""
    before, now = (_hosts(properties) for properties in (olds, inputs))
    leaving = {name: host for name, host in before.items() if name in reached.applied}
    return PropertyValue({**leaving, **now})


def _hosts(properties: Properties) -> Mapping[str, PropertyValue]:
    hosts = properties["hosts"].value if "hosts" in properties else {}
    return hosts if isinstance(hosts, Mapping) else {}
