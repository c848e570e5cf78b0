"""cert-manager: certificates for names of the zone, proven by a record in it (ACME, DNS-01).

Its objects are those that its makers publish. Its webhooks are left out, as MetalLB's is: what they
check only this program writes, and until they answer they would refuse it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from .application_objects import NAMESPACE as OF_THE_PORTALS
from .in_cluster import InCluster, Inside, encoded
from .published import staged

NAMESPACE = "cert-manager"
SECRET = "portals-tls"  # noqa: S105 - what it is called
"""Where the certificate and its key are, beside the portals."""
ISSUER = "acme"
_TOKEN = "cloudflare-dns"  # noqa: S105 - what it is called
_LEFT_OUT = {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificatesArgs:
    """What :class:`Certificates` need to know."""

    manifests: Iterable[Mapping[str, Any]]
    """What cert-manager's makers publish."""
    server: str
    authority: str | None
    """Who signed the server's own certificate, if that is not publicly known."""
    email: str
    names: Sequence[str]
    token: pulumi.Input[str] = field(repr=False)
    """May change the records of the zone."""


class Certificates(InCluster):
    """Who has certificates made, and the one of the portals."""

    def __init__(
        self,
        name: str,
        args: CertificatesArgs,
        inside: Inside,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Certificates", name, inside, opts)
        stages = [
            [(_name(name, body), body) for body in stage]
            for stage in staged(args.manifests, _LEFT_OUT)
        ]
        made = self._published(name, NAMESPACE, stages)
        token = self._object(f"{name}-token", _token(args.token), after=made)
        issuer = self._object(f"{name}-issuer", _issuer(args), after=[token])
        self._object(f"{name}-portals", _certificate(args.names), after=[issuer, *after])
        self.register_outputs({})


def _name(name: str, body: Mapping[str, Any]) -> str:
    metadata = body["metadata"]
    # Two of its roles have one name in two namespaces.
    place = "-".join(metadata[key] for key in ("namespace", "name") if key in metadata)
    return f"{name}-{body['kind'].lower()}-{place}"


def _token(token: pulumi.Input[str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": _TOKEN, "namespace": NAMESPACE},
        "data": encoded({"token": token}),
    }


def _issuer(args: CertificatesArgs) -> dict[str, Any]:
    bundle = b64encode(args.authority.encode()).decode() if args.authority else None
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": "ClusterIssuer",
        "metadata": {"name": ISSUER},
        "spec": {
            "acme": {
                "server": args.server,
                **({"caBundle": bundle} if bundle else {}),
                "email": args.email,
                "privateKeySecretRef": {"name": "acme-account"},
                "solvers": [
                    {
                        "dns01": {
                            "cloudflare": {"apiTokenSecretRef": {"name": _TOKEN, "key": "token"}}
                        }
                    }
                ],
            }
        },
    }


def _certificate(names: Sequence[str]) -> dict[str, Any]:
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"name": "portals", "namespace": OF_THE_PORTALS},
        "spec": {
            "secretName": SECRET,
            "dnsNames": list(names),
            "issuerRef": {"name": ISSUER, "kind": "ClusterIssuer"},
            "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
        },
    }
