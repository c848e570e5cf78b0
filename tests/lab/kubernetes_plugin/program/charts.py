"""One chart, as it is told."""

import pulumi
import pulumi_kubernetes as k8s


def run(opts: pulumi.ResourceOptions, secret: str = "", **chart: object) -> None:
    """Declare the chart; ``secret`` becomes one of its values."""
    if secret:
        chart["values"] = {"greeting": pulumi.Output.secret(secret)}
    k8s.helm.v4.Chart("shop", **chart, opts=opts)
