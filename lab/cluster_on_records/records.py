"""STAND-IN: objects of Kubernetes as records in the state, where hosts are records as well.

Nothing is checked and nothing is asked. Every change succeeds at once, and every object is always
as it was left.
"""

from __future__ import annotations

from collections.abc import Mapping

from pulumi.provider.experimental import provider as api
from pulumi.provider.experimental.property_value import PropertyValue
from typing_extensions import override

from pulumi_pyinfra.engine import Engine
from pulumi_pyinfra.values import plain_map

LOUD = "STAND-IN: there is no Kubernetes here; its objects are records that nobody checks"


class ClusterOnRecords(api.Provider):
    """Serves every kind of object."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @override
    async def check_config(self, request: api.CheckRequest) -> api.CheckResponse:
        return api.CheckResponse(inputs=request.new_inputs)

    @override
    async def configure(self, request: api.ConfigureRequest) -> api.ConfigureResponse:
        await self._engine.say("", LOUD, warning=True)
        return api.ConfigureResponse(accept_secrets=True, supports_preview=True)

    @override
    async def check(self, request: api.CheckRequest) -> api.CheckResponse:
        return api.CheckResponse(inputs=request.new_inputs)

    @override
    async def diff(self, request: api.DiffRequest) -> api.DiffResponse:
        old, new = plain_map(request.old_state), plain_map(request.new_inputs)
        changed = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
        return api.DiffResponse(changes=bool(changed), diffs=changed)

    @override
    async def create(self, request: api.CreateRequest) -> api.CreateResponse:
        return api.CreateResponse(_name(request.properties), request.properties)

    @override
    async def read(self, request: api.ReadRequest) -> api.ReadResponse:
        return api.ReadResponse(request.resource_id, request.properties, request.inputs)

    @override
    async def update(self, request: api.UpdateRequest) -> api.UpdateResponse:
        return api.UpdateResponse(properties=request.news)

    @override
    async def delete(self, request: api.DeleteRequest) -> None:
        """Forget it."""

    async def close(self) -> None:
        """Nothing is left open."""


def _name(properties: Mapping[str, PropertyValue]) -> str:
    """Return what the plugin would call it: its namespace, if it has one, and its name."""
    metadata = plain_map(properties)["metadata"]
    return "/".join(metadata[key] for key in ("namespace", "name") if key in metadata)
