"""One object of any kind, as it is told."""

import pulumi
import pulumi_kubernetes as k8s


class Untyped(pulumi.CustomResource):
    """A secret of which Pulumi's package knows nothing."""

    metadata: pulumi.Output[dict]

    def __init__(self, name: str, opts: pulumi.ResourceOptions, **fields: object) -> None:
        fields = {"apiVersion": "v1", "kind": "Secret", **fields}
        super().__init__("kubernetes:core/v1:Secret", name, fields, opts)


KINDS = {
    "ConfigMap": k8s.core.v1.ConfigMap,
    "ConfigMapPatch": k8s.core.v1.ConfigMapPatch,
    "Deployment": k8s.apps.v1.Deployment,
    "Job": k8s.batch.v1.Job,
    "Namespace": k8s.core.v1.Namespace,
    "Pod": k8s.core.v1.Pod,
    "Secret": k8s.core.v1.Secret,
    "Service": k8s.core.v1.Service,
    "Untyped": Untyped,
}


def run(
    opts: pulumi.ResourceOptions,
    objects: list[dict],
    options: dict | None = None,
    secret: str = "",
) -> None:
    """Declare the objects one after the other, each after the one before it."""
    opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(**(options or {})))
    before: list[pulumi.Resource] = []
    for number, told in enumerate(objects):
        fields = dict(told)
        kind = fields.pop("kind")
        name = fields.pop("resource", f"object-{number}")
        if secret:
            fields["string_data"] = {"password": pulumi.Output.secret(secret)}
        after = pulumi.ResourceOptions(depends_on=before)
        made = KINDS[kind](name, **fields, opts=pulumi.ResourceOptions.merge(opts, after))
        pulumi.export(name, made.metadata["name"])
        before = [made]
