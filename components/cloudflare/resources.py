"""Cloudflare's resources as far as this program uses them, by their type tokens.

``pulumi_cloudflare`` has classes for them, and importing it takes five seconds of processor time
in every run of the program: docs/decisions/0010. It stays the authority: a test holds each token
and each input here to it, and its version is the plugin's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, ClassVar

import pulumi

VERSION = version("pulumi_cloudflare")


class Resource(pulumi.CustomResource):
    """A resource of Cloudflare's; inputs and outputs bear the names of the plugin."""

    TYPE: ClassVar[str]
    OUTPUTS: ClassVar[Sequence[str]] = ()
    """Those that the program reads, besides the id and the inputs."""
    SECRET: ClassVar[Sequence[str]] = ()

    def __init__(
        self, name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        more = pulumi.ResourceOptions(
            version=VERSION, additional_secret_outputs=list(self.SECRET) or None
        )
        super().__init__(
            self.TYPE,
            name,
            dict.fromkeys(self.OUTPUTS) | dict(inputs),
            pulumi.ResourceOptions.merge(opts, more),
        )


def provider(token: pulumi.Input[str], endpoint: str) -> pulumi.ProviderResource:
    """Return the provider for the holder of a token."""
    return pulumi.ProviderResource(
        "cloudflare",
        "cloudflare",
        {"apiToken": token, "baseUrl": endpoint},
        pulumi.ResourceOptions(version=VERSION),
    )


class R2Bucket(Resource):
    """A bucket."""

    TYPE = "cloudflare:index/r2Bucket:R2Bucket"
    name: pulumi.Output[str]


class R2BucketLifecycle(Resource):
    """What becomes of a bucket's objects by themselves."""

    TYPE = "cloudflare:index/r2BucketLifecycle:R2BucketLifecycle"


class AccountToken(Resource):
    """A token of the account; where it opens buckets it is an S3 credential as well."""

    TYPE = "cloudflare:index/accountToken:AccountToken"
    OUTPUTS = ("value",)
    SECRET = ("value",)
    value: pulumi.Output[str]


class ZeroTrustTunnelCloudflared(Resource):
    """A tunnel, which connectors of ours hold open."""

    TYPE = "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared"


class ZeroTrustTunnelCloudflaredConfig(Resource):
    """What a tunnel leads to."""

    TYPE = "cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig"


class DnsRecord(Resource):
    """A record of the zone."""

    TYPE = "cloudflare:index/dnsRecord:DnsRecord"


class ZeroTrustAccessPolicy(Resource):
    """Who may pass."""

    TYPE = "cloudflare:index/zeroTrustAccessPolicy:ZeroTrustAccessPolicy"


class ZeroTrustAccessApplication(Resource):
    """Pages that are only for some."""

    TYPE = "cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication"
