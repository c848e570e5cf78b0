"""Objects in the Kubernetes cluster by their type tokens, with bodies as manifests have them.

``pulumi_kubernetes`` has a class for each kind, and importing those in use takes a second of every
run (docs/decisions/0011); what is sent is the same. It stays the authority for the tokens, and its
version is the plugin's.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import pulumi

from .network_policies import policies
from .traffic import Traffic

VERSION = version("pulumi_kubernetes")
_SECRET = {"Secret": ["data", "stringData"]}


class KubernetesObject(pulumi.CustomResource):
    """An object of any kind; ``manifest`` is what ``kubectl`` would be given."""

    def __init__(
        self, name: str, manifest: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        more = pulumi.ResourceOptions(
            version=VERSION, additional_secret_outputs=_SECRET.get(manifest["kind"])
        )
        super().__init__(
            token(manifest["apiVersion"], manifest["kind"]),
            name,
            {key: _plannable(value) for key, value in manifest.items()},
            pulumi.ResourceOptions.merge(opts, more),
        )


def _plannable(value: object) -> object:
    """Return ``value`` without a secret that is not known yet.

    Before there is a cluster the engine takes inputs as they are into its plan, and panics when it
    is to print a secret among them that has no value (``preview --json`` on a new stack).
    """
    if isinstance(value, Mapping):
        return {key: _plannable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plannable(inner) for inner in value]
    if not isinstance(value, pulumi.Output):
        return value
    known = asyncio.ensure_future(value.is_known())
    return pulumi.Output(
        value.resources(), value.future(with_unknowns=True), known, _both(value.is_secret(), known)
    )


async def _both(first: Awaitable[bool], second: Awaitable[bool]) -> bool:
    return await first and await second


def token(api_version: str, kind: str) -> str:
    """Return what a kind is called in the state."""
    group = api_version if "/" in api_version else f"core/{api_version}"
    return f"kubernetes:{group}:{kind}"


def encoded(told: Mapping[str, pulumi.Input[str]]) -> dict[str, pulumi.Output[str]]:
    """Return texts as the server keeps them: it answers no others, and a refresh misses them."""

    def base64(text: str) -> str:
        return b64encode(text.encode()).decode()

    return {key: pulumi.Output.secret(text).apply(base64) for key, text in told.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Inside:
    """How something is made in the cluster."""

    provider: pulumi.ProviderResource
    cluster: pulumi.Resource
    """What it ends with: nobody takes a cluster apart that is thrown away."""
    kubeconfig: pulumi.Output[str] = field(repr=False)
    traffic: Traffic
    """Who talks to whom; all else is refused."""


Stage = Sequence[tuple[str, Mapping[str, Any]]]
"""Objects that do not wait for each other, with what each is called in the state."""


class InCluster(pulumi.ComponentResource):
    """Base of what is made of objects in the cluster."""

    def __init__(
        self,
        kind: str,
        name: str,
        inside: Inside,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        within = pulumi.ResourceOptions(providers=[inside.provider])
        super().__init__(
            f"coldstorage:kubernetes:{kind}",
            name,
            {},
            pulumi.ResourceOptions.merge(opts, within),
        )
        self._inside = inside

    def _guarded(
        self, name: str, namespace: str, after: Sequence[pulumi.Resource] = ()
    ) -> list[KubernetesObject]:
        """Make the policies of a namespace, which all of its pods wait for."""
        *allowing, refusing = policies(self._inside.traffic, namespace)
        made = [self._object(_policy(name, body), body, after=after) for body in allowing]
        # Last: in a cluster that serves, nobody is refused what is about to be allowed.
        return [*made, self._object(_policy(name, refusing), refusing, after=[*after, *made])]

    def _published(
        self, name: str, namespace: str, stages: Sequence[Stage]
    ) -> list[KubernetesObject]:
        """Make what others publish, by name, one stage after the other; the last has the pods."""
        *before, pods = stages
        made: list[KubernetesObject] = []
        for stage in before:
            made += self._stage(stage, after=list(made))
        made += self._guarded(name, namespace, after=list(made))
        return made + self._stage(pods, after=list(made))

    def _stage(self, stage: Stage, after: Sequence[pulumi.Resource]) -> list[KubernetesObject]:
        return [self._object(name, body, after=after) for name, body in stage]

    def _object(
        self,
        name: str,
        manifest: Mapping[str, Any],
        *,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> KubernetesObject:
        """Make an object of this component, after others."""
        ours = pulumi.ResourceOptions(
            parent=self, depends_on=list(after), deleted_with=self._inside.cluster
        )
        return KubernetesObject(name, manifest, pulumi.ResourceOptions.merge(opts, ours))


def _policy(name: str, body: Mapping[str, Any]) -> str:
    return f"{name}-policy-{body['metadata']['name']}"
