"""Makes the resources of wanted.json, in its order; ``${name.output}`` refers to another."""

import json
import re
from pathlib import Path

import pulumi

WANTED = json.loads((Path(__file__).parent / "wanted.json").read_text())
REFERENCE = re.compile(r"\$\{([\w-]+)\.(\w+)(:int)?\}")
made: dict[str, pulumi.CustomResource] = {}


class Resource(pulumi.CustomResource):
    """Any resource, by its token."""


def resolved(value):
    if isinstance(value, dict) and set(value) == {"secret"}:
        return pulumi.Output.secret(value["secret"])
    if isinstance(value, dict):
        return {key: resolved(item) for key, item in value.items()}
    if isinstance(value, list):
        return [resolved(item) for item in value]
    if isinstance(value, str) and (found := REFERENCE.fullmatch(value)):
        output = getattr(made[found[1]], found[2])
        return output.apply(int) if found[3] else output
    return value


providers = {
    name: pulumi.ProviderResource(
        name, name, arguments, pulumi.ResourceOptions(version=WANTED["versions"][name])
    )
    for name, arguments in resolved(WANTED["providers"]).items()
}
for wanted in WANTED["resources"]:
    name, token = wanted["name"], wanted["type"]
    package = token.split(":")[0]
    options = dict(wanted.get("options", {}))
    timeouts = options.pop("custom_timeouts", None)
    properties = dict.fromkeys(wanted.get("outputs", []), None) | resolved(wanted["inputs"])
    made[name] = Resource(
        token,
        name,
        properties,
        pulumi.ResourceOptions(
            provider=providers[package],
            custom_timeouts=pulumi.CustomTimeouts(**timeouts) if timeouts else None,
            **options,
        ),
    )
    for output in wanted.get("outputs", []):
        pulumi.export(f"{name}.{output}", getattr(made[name], output))
for lookup in WANTED.get("lookups", []):
    package = lookup["token"].split(":")[0]
    found = pulumi.runtime.invoke_output(
        lookup["token"],
        resolved(lookup["arguments"]),
        pulumi.InvokeOutputOptions(provider=providers[package]),
    )
    pulumi.export(lookup["name"], found)
