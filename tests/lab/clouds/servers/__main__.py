"""The Hetzner machines of a small stack, made by the project's own components."""

import json
from dataclasses import replace
from pathlib import Path

import pulumi
import pulumi_hcloud as hcloud
import pulumi_tls as tls

from components.machines import machines_of
from components.tokens import Tokens
from tests.components.machines.programs import DOCFAST

WANTED = json.loads((Path(__file__).parent / "wanted.json").read_text())

balancer = DOCFAST.hetzner.load_balancer.model_copy(
    update={"ports": (80,), "interval_seconds": 1, "timeout_seconds": 2, "retries": 1}
)
settings = replace(
    DOCFAST,
    hetzner=DOCFAST.hetzner.model_copy(update={"load_balancer": balancer}),
    machines={name: DOCFAST.machines[name] for name in WANTED["machines"]},
)
provider = hcloud.Provider(
    "hetzner",
    endpoint=WANTED["endpoint"],
    endpoint_hetzner=WANTED["endpoint"],
    token=pulumi.Output.secret(WANTED["token"]),
)
options = pulumi.ResourceOptions(providers=[provider, tls.Provider("tls")])
machines = machines_of(settings, Tokens(), options)

pulumi.export("balancer", machines.public_address)
for name, machine in machines.machines.items():
    pulumi.export(name, {"host": machine.connection.host, "disk": machine.data_disk})
    pulumi.export("key", machine.connection.private_key)
pulumi.export("user", settings.access.user)
