"""The certificate authorities of the K3s cluster and the administrator's way in.

K3s uses authorities that it finds in its ``server/tls`` folder and makes only what is missing.
Made here, they are known before the first machine is: the kubeconfig is an ordinary secret
output, never a file fetched from a host, and survives the loss of every server.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from ipaddress import IPv4Address

import pulumi
import pulumi_tls as tls
import yaml

AUTHORITY_HOURS = 10 * 365 * 24
ADMINISTRATOR_HOURS = 365 * 24
RENEWED_BEFORE_HOURS = 60 * 24


@dataclass(frozen=True, kw_only=True, slots=True)
class ClusterAuthorityArgs:
    """Where the cluster's API answers."""

    cluster: str
    api_address: IPv4Address
    api_port: int = 6443


@dataclass(frozen=True, kw_only=True, slots=True)
class Authority:
    """A key that signs, and the certificate by which its signatures are known."""

    key: tls.PrivateKey
    certificate: tls.SelfSignedCert


class ClusterAuthority(pulumi.ComponentResource):
    """Who signs the servers' certificates, who signs the clients', and the first client."""

    server: Authority
    client: Authority
    kubeconfig: pulumi.Output[str]
    """The administrator's, a secret."""

    def __init__(
        self, name: str, args: ClusterAuthorityArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("coldstorage:kubernetes:ClusterAuthority", name, {}, opts)

        self.server = self._authority(f"{name}-server", f"{args.cluster}-server-ca")
        self.client = self._authority(f"{name}-client", f"{args.cluster}-client-ca")
        key, certificate = self._administrator(f"{name}-administrator")
        self.kubeconfig = pulumi.Output.secret(
            pulumi.Output.all(
                self.server.certificate.cert_pem, certificate.cert_pem, key.private_key_pem
            ).apply(lambda pems: kubeconfig(args, *pems))
        )
        self.register_outputs({"kubeconfig": self.kubeconfig})

    def _authority(self, name: str, common_name: str) -> Authority:
        key = self._key(f"{name}-key")
        certificate = tls.SelfSignedCert(
            name,
            private_key_pem=key.private_key_pem,
            subject={"common_name": common_name},
            is_ca_certificate=True,
            validity_period_hours=AUTHORITY_HOURS,
            allowed_uses=["cert_signing", "digital_signature", "key_encipherment"],
            opts=pulumi.ResourceOptions(parent=self),
        )
        return Authority(key=key, certificate=certificate)

    def _administrator(self, name: str) -> tuple[tls.PrivateKey, tls.LocallySignedCert]:
        key = self._key(f"{name}-key")
        request = tls.CertRequest(
            f"{name}-request",
            private_key_pem=key.private_key_pem,
            # The group is what Kubernetes' own role binding gives all rights to.
            subject={"common_name": "administrator", "organization": "system:masters"},
            opts=pulumi.ResourceOptions(parent=self),
        )
        certificate = tls.LocallySignedCert(
            name,
            cert_request_pem=request.cert_request_pem,
            ca_private_key_pem=self.client.key.private_key_pem,
            ca_cert_pem=self.client.certificate.cert_pem,
            validity_period_hours=ADMINISTRATOR_HOURS,
            early_renewal_hours=RENEWED_BEFORE_HOURS,
            allowed_uses=["client_auth", "digital_signature", "key_encipherment"],
            opts=pulumi.ResourceOptions(parent=self),
        )
        return key, certificate

    def _key(self, name: str) -> tls.PrivateKey:
        return tls.PrivateKey(
            name,
            algorithm="ECDSA",
            ecdsa_curve="P256",
            opts=pulumi.ResourceOptions(parent=self),
        )


def kubeconfig(args: ClusterAuthorityArgs, *pems: str) -> str:
    """Return a kubeconfig with everything in it, so that it can be carried anywhere."""
    authority, certificate, key = (_base64(pem) for pem in pems)
    server = f"https://{args.api_address}:{args.api_port}"
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": args.cluster,
            "clusters": [
                {
                    "name": args.cluster,
                    "cluster": {"server": server, "certificate-authority-data": authority},
                }
            ],
            "users": [
                {
                    "name": "administrator",
                    "user": {"client-certificate-data": certificate, "client-key-data": key},
                }
            ],
            "contexts": [
                {
                    "name": args.cluster,
                    "context": {"cluster": args.cluster, "user": "administrator"},
                }
            ],
        },
        sort_keys=False,
    )


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()
