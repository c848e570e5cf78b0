"""By what the database machines know each other, and their clients know them.

Two authorities of the tier's own, in state: one signs, both are trusted, so that the other can sign
one day. Each machine has one certificate for all of its services, as client and as server: it names
the machine, its address, and the address that it may take over. A certificate is made anew half a
year before it ends, by the next ``up``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address

import pulumi
import pulumi_tls as tls

from .two_words import SECOND

AUTHORITY_HOURS = 10 * 365 * 24
MACHINE_HOURS = 2 * 365 * 24
RENEWED_BEFORE_HOURS = 180 * 24


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseCertificatesArgs:
    """Who gets a certificate."""

    cluster: str
    addresses: Mapping[str, IPv4Address]
    """Of each machine by name."""
    virtual_address: IPv4Address
    """Each may take it over."""
    second_signs: bool = False
    """Whether it is the second authority that signs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """What one machine shows, and proves with its key."""

    certificate: pulumi.Output[str]
    key: pulumi.Output[str] = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Authority:
    certificate: pulumi.Output[str]
    key: pulumi.Output[str] = field(repr=False)


class DatabaseCertificates(pulumi.ComponentResource):
    """The authorities of a database cluster, and a certificate for each of its machines."""

    authority: pulumi.Output[str]
    """The certificates, of both authorities, by which all the others are known."""
    identities: Mapping[str, Identity]

    def __init__(
        self, name: str, args: DatabaseCertificatesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("coldstorage:database:DatabaseCertificates", name, {}, opts)
        self._name, self._args = name, args

        first, second = self._new_authority(), self._new_authority(f"-{SECOND}")
        self._signing = second if args.second_signs else first
        self.authority = pulumi.Output.concat(first.certificate, second.certificate)
        self.identities = {host: self._identity(host) for host in args.addresses}
        self.register_outputs({"authority": self.authority})

    def _new_authority(self, which: str = "") -> _Authority:
        key = self._new_key(f"{self._name}-authority-key{which}").private_key_pem
        made = tls.SelfSignedCert(
            f"{self._name}-authority{which}",
            private_key_pem=key,
            # By name alone a program that checks a certificate could take one for the other.
            subject={"common_name": f"{self._args.cluster} database authority{which}"},
            is_ca_certificate=True,
            validity_period_hours=AUTHORITY_HOURS,
            allowed_uses=["cert_signing", "crl_signing", "digital_signature"],
            opts=pulumi.ResourceOptions(parent=self),
        )
        return _Authority(certificate=made.cert_pem, key=key)

    def _identity(self, host: str) -> Identity:
        name = f"{self._name}-{host}"
        key = self._new_key(f"{self._name}-key-{host}")
        own, shared = self._args.addresses[host], self._args.virtual_address
        request = tls.CertRequest(
            f"{name}-request",
            private_key_pem=key.private_key_pem,
            subject={"common_name": host},
            dns_names=[host, "localhost"],
            ip_addresses=[str(own), str(shared), "127.0.0.1"],
            opts=pulumi.ResourceOptions(parent=self),
        )
        certificate = tls.LocallySignedCert(
            name,
            cert_request_pem=request.cert_request_pem,
            ca_private_key_pem=self._signing.key,
            ca_cert_pem=self._signing.certificate,
            validity_period_hours=MACHINE_HOURS,
            early_renewal_hours=RENEWED_BEFORE_HOURS,
            allowed_uses=["server_auth", "client_auth", "digital_signature", "key_encipherment"],
            opts=pulumi.ResourceOptions(parent=self),
        )
        return Identity(
            certificate=certificate.cert_pem, key=pulumi.Output.secret(key.private_key_pem)
        )

    def _new_key(self, name: str) -> tls.PrivateKey:
        return tls.PrivateKey(
            name,
            algorithm="ECDSA",
            ecdsa_curve="P256",
            opts=pulumi.ResourceOptions(parent=self),
        )
