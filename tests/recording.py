"""An engine that records: what the official mocks hide, tests can see.

Pulumi's mocks show type, name and inputs. A forgotten ``parent=self``, a lost ``protect``, a secret
that became plain text or a resource on a default provider pass such tests unseen. This monitor
keeps what is sent to the engine. It runs no hooks and no transforms, and answers only the look-ups
that a test announced.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import pulumi
from google.protobuf import struct_pb2
from pulumi.runtime import mocks, rpc
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import SETTINGS
from pulumi.runtime.stack import run_pulumi_func

# The wire protocol's marks of a value that is wrapped, and of a wrapped secret.
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"

Computed = Callable[[mocks.MockResourceArgs], Mapping[str, Any]]
"""What a resource has once it exists, beside its inputs."""


def _key(args: mocks.MockResourceArgs) -> Mapping[str, Any]:
    return {
        "privateKeyOpenssh": f"private key of {args.name}",
        "publicKeyOpenssh": f"ssh-ed25519 AAAA {args.name}\n",
        "privateKeyPem": f"private key of {args.name}",
    }


def _disks(args: mocks.MockResourceArgs) -> Mapping[str, Any]:
    """Proxmox names a new disk after the VM that owns it."""
    owner = int(args.inputs["vmId"])
    made = [
        {"pathInDatastore": f"{owner}/vm-{owner}-disk-{index}.qcow2", **disk}
        for index, disk in enumerate(args.inputs["disks"])
    ]
    return {"disks": made}


def _certificate(args: mocks.MockResourceArgs) -> Mapping[str, Any]:
    return {"certPem": f"certificate of {args.name}"}


COMPUTED: Mapping[str, Computed] = {
    "tls:index/privateKey:PrivateKey": _key,
    "tls:index/selfSignedCert:SelfSignedCert": _certificate,
    "tls:index/locallySignedCert:LocallySignedCert": _certificate,
    "tls:index/certRequest:CertRequest": lambda a: {"certRequestPem": f"request of {a.name}"},
    "random:index/randomPassword:RandomPassword": lambda a: {"result": f"password of {a.name}"},
    "random:index/randomId:RandomId": lambda a: {"hex": f"number of {a.name}"},
    "random:index/randomBytes:RandomBytes": lambda a: {"base64": f"bytes of {a.name}"},
    "proxmoxve:index/vmLegacy:VmLegacy": _disks,
    "cloudflare:index/accountToken:AccountToken": lambda a: {"value": f"value of {a.name}"},
    "hcloud:index/server:Server": lambda _: {"ipv4Address": "198.51.100.1"},
    "hcloud:index/loadBalancer:LoadBalancer": lambda _: {"ipv4": "198.51.100.2"},
    "hcloud:index/volume:Volume": lambda _: {"linuxDevice": "/dev/disk/by-id/scsi-0HC_Volume_1"},
}


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A resource as the program asked the engine for it; resources are named, never by URN."""

    type: str
    name: str
    inputs: Mapping[str, Any] = field(repr=False)
    parent: str | None
    protected: bool
    retained: bool
    delete_before_replace: bool
    ignored: frozenset[str]
    replaced_on: frozenset[str]
    replaced_with: frozenset[str]
    deleted_with: str | None
    dependencies: frozenset[str]
    """All that it waits for, by ``depends_on`` or through an input."""
    aliases: frozenset[str]
    provider: str | None
    """Name of the provider that was given; None is a default provider, or a component."""
    secrets: frozenset[str]
    """Paths of the inputs that are secret."""
    hooks: frozenset[str]
    custom: bool
    """False is a component."""


def _id(args: mocks.MockResourceArgs) -> str:
    if args.typ == "proxmoxve:download/file:File":
        return "{datastoreId}:{contentType}/{fileName}".format(**args.inputs)
    # Hetzner's ids are numbers.
    return str(crc32(args.name.encode())) if args.typ.startswith("hcloud:") else f"{args.name}-id"


class Echo(mocks.Mocks):
    """Resources answer with their inputs; look-ups that nobody announced are errors."""

    def __init__(
        self,
        calls: Mapping[str, Mapping[str, Any]] | None = None,
        computed: Mapping[str, Computed] | None = None,
    ) -> None:
        self._calls, self._computed = calls or {}, {**COMPUTED, **(computed or {})}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        if args.token not in self._calls:
            raise AssertionError(f"{args.token} was called, but the test announces no such look-up")
        return dict(self._calls[args.token]), []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        computed = self._computed.get(args.typ)
        return _id(args), {**args.inputs, **(computed(args) if computed else {})}


class Recorder(mocks.MockMonitor):
    """A monitor that keeps all that it is asked for."""

    def __init__(self, echo: Echo) -> None:
        super().__init__(echo)
        self.registered: list[Registered] = []

    def RegisterResource(  # noqa: N802 - the name is gRPC's
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        if request.type != "pulumi:pulumi:Stack":
            self.registered.append(_registered(request))
        return super().RegisterResource(request)


def _registered(request: resource_pb2.RegisterResourceRequest) -> Registered:
    hooks = request.hooks
    return Registered(
        type=request.type,
        name=request.name,
        inputs=rpc.deserialize_properties_unwrap_secrets(request.object)[0],
        parent=_name(request.parent) if "::pulumi:pulumi:Stack::" not in request.parent else None,
        protected=request.protect,
        retained=request.retainOnDelete,
        delete_before_replace=request.deleteBeforeReplace,
        ignored=frozenset(request.ignoreChanges),
        replaced_on=frozenset(request.replaceOnChanges),
        replaced_with=frozenset(_name(urn) for urn in request.replace_with),
        deleted_with=_name(request.deletedWith),
        dependencies=frozenset(name for urn in request.dependencies if (name := _name(urn))),
        aliases=frozenset(alias.spec.name or alias.urn for alias in request.aliases),
        provider=_name(request.provider.rpartition("::")[0]),
        secrets=frozenset(_secret_paths(request.object)),
        hooks=frozenset([*hooks.before_create, *hooks.before_update, *hooks.before_delete]),
        custom=request.custom,
    )


def _name(urn: str) -> str | None:
    return urn.rpartition("::")[2] or None


def _secret_paths(value: struct_pb2.Struct, path: str = "") -> Iterator[str]:
    for key, item in value.fields.items():
        yield from _secrets_in(item, f"{path}.{key}" if path else key)


def _secrets_in(value: struct_pb2.Value, path: str) -> Iterator[str]:
    if value.HasField("list_value"):
        for index, item in enumerate(value.list_value.values):
            yield from _secrets_in(item, f"{path}[{index}]")
    elif value.HasField("struct_value"):
        fields = value.struct_value.fields
        if SIGNATURE in fields and fields[SIGNATURE].string_value == SECRET:
            yield path
        else:
            yield from _secret_paths(value.struct_value, path)


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What a program registered, and what it returned once every output was known."""

    resources: tuple[Registered, ...]
    result: Any

    def named(self, name: str) -> Registered:
        """Return the resource called ``name``."""
        found = [r for r in self.resources if r.name == name]
        if len(found) != 1:
            names = ", ".join(sorted(r.name for r in self.resources))
            raise AssertionError(f"{name}: {len(found)} such resources; there are {names}")
        return found[0]

    def of_type(self, token: str) -> dict[str, Registered]:
        """Return the resources of a type by name."""
        return {r.name: r for r in self.resources if r.type == token}


def run(
    program: Callable[[], Any],
    *,
    stack: str = "testing",
    preview: bool = False,
    echo: Echo | None = None,
) -> Deployment:
    """Run ``program`` to its end and return what it registered.

    Outputs in what it returns are awaited: one that never becomes known is an error, not a test
    that passes because its assertion was never reached.
    """
    recorder, result = Recorder(echo or Echo()), []

    def keep_result() -> None:
        pulumi.Output.from_input(program()).apply(result.append)

    async def to_the_end() -> None:
        # The one setting that the mocks don't make anew: what a failed run left unfinished.
        SETTINGS.outputs = set()
        mocks.set_mocks(recorder.mocks, "coldstorage", stack, preview, monitor=recorder)
        await run_pulumi_func(keep_result)

    # The SDK's settings are context variables: in a copy, no run leaves anything to the next.
    with _threads_with_loops() as executor:
        copy_context().run(_in_new_loop, to_the_end(), executor)
    if not result:
        raise AssertionError("what the program returned never became known: nothing was checked")
    return Deployment(resources=tuple(recorder.registered), result=result[0])


def _in_new_loop(main: Coroutine[Any, Any, None], executor: ThreadPoolExecutor) -> None:
    with asyncio.Runner() as runner:
        runner.get_loop().set_default_executor(executor)
        runner.run(main)


@contextmanager
def _threads_with_loops() -> Iterator[ThreadPoolExecutor]:
    """The mock monitor opens an event loop in each thread that calls it, and closes none."""
    loops: list[asyncio.AbstractEventLoop] = []

    def open_loop() -> None:
        loops.append(asyncio.new_event_loop())
        asyncio.set_event_loop(loops[-1])

    try:
        with ThreadPoolExecutor(initializer=open_loop) as executor:
            yield executor
    finally:
        for loop in loops:
            loop.close()
