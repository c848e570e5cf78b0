"""The certificates of a stack file and who shows them, where it wants any."""

from __future__ import annotations

import pulumi

from .application import Application
from .certificates import SECRET, Certificates, CertificatesArgs
from .in_cluster import Inside
from .ingress import Ingress, IngressArgs
from .load_balancer import LoadBalancer
from .published import manifests
from .settings import Settings


def certificates_of(
    settings: Settings,
    inside: Inside | None,
    application: Application | None,
    token: pulumi.Output[str] | None,
) -> Certificates | None:
    """Return who has certificates made; that of the portals is beside them."""
    wanted = settings.certificates
    if not (wanted and inside and application and token):
        return None
    args = CertificatesArgs(
        manifests=manifests(wanted.manifest),
        server=str(wanted.server),
        authority=wanted.authority,
        email=wanted.email,
        names=wanted.names,
        token=token,
    )
    return Certificates("certificates", args, inside, [application.namespace])


def ingress_of(
    settings: Settings,
    inside: Inside | None,
    application: Application | None,
    balancer: LoadBalancer | None,
) -> Ingress | None:
    """Return who answers for the portals' names."""
    address, portals = settings.network.application_address, settings.application
    if not (settings.kubernetes.traefik and inside and application and balancer and address):
        return None
    args = IngressArgs(
        address=address,
        replicas=portals.replicas,
        names={
            "employee": portals.employee.hostname,
            "customer": portals.customer.hostname,
        },
        secret=SECRET if settings.certificates else None,
    )
    return Ingress("ingress", args, inside, [application.namespace, *balancer.ready])
