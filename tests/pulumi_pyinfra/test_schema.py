"""The schema, which other languages are made from, says what the provider takes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from pulumi_pyinfra import deploy, protocol, wanted
from pulumi_pyinfra.schema import schema
from tests.pulumi_pyinfra.worker.asking import PROGRAM

TYPES = schema()["types"]


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def names(kind: type) -> set[str]:
    return {camel(field.name) for field in fields(kind)}


def test_it_has_the_inputs_that_the_provider_reads():
    resource = schema()["resources"][wanted.TYPE]

    assert {*resource["inputProperties"]} == names(wanted.Wanted) - {"sourceHash"}
    assert {*resource["properties"]} == names(wanted.Wanted) | {*wanted.RESULTS}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Host", wanted.WantedHost),
        ("Rollout", wanted.Rollout),
        ("Chroot", wanted.Chroot),
        ("Ssh", protocol.Ssh),
    ],
)
def test_it_has_the_types_that_the_provider_reads(name, kind):
    assert {*TYPES[f"pyinfra:index:{name}"]["properties"]} == names(kind)


@pytest.mark.parametrize("name", ["Host", "Rollout", "Ssh"])
def test_a_program_in_python_can_say_as_much(name):
    assert {*TYPES[f"pyinfra:index:{name}"]["properties"]} == names(getattr(deploy, name))


def test_every_type_that_is_referred_to_is_there():
    referred = set()

    def look(value: object) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                referred.add(value["$ref"])
            for item in value.values():
                look(item)
        elif isinstance(value, list):
            for item in value:
                look(item)

    look(schema())

    assert referred - {"pulumi.json#/Any"} == {f"#/types/{name}" for name in TYPES}


def test_the_provider_gives_it_to_whoever_asks():
    command = [sys.executable, str(PROGRAM / "pulumi_pyinfra"), "127.0.0.1:1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = process.stdout.readline().strip()
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                provider = provider_pb2_grpc.ResourceProviderStub(channel)
                answer = provider.GetSchema(provider_pb2.GetSchemaRequest(), timeout=30)
        finally:
            process.terminate()

    assert json.loads(answer.schema) == schema()
