"""Authorities of a cluster as the program's state has them, and the administrator they let in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from ipaddress import IPv4Address
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from components.cluster_authority import ClusterAuthorityArgs, kubeconfig

_LIFE = timedelta(days=9)


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def _name(common: str, organization: str = "") -> x509.Name:
    parts = [x509.NameAttribute(x509.NameOID.COMMON_NAME, common)]
    if organization:
        parts.append(x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(parts)


@dataclass
class Signer:
    """A key that signs, and its certificate."""

    common: str
    private: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @cached_property
    def certificate(self) -> str:
        return self.signed(_name(self.common), self.private, authority=True)

    @property
    def key(self) -> str:
        return _pem(self.private)

    def signed(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, authority: bool = False
    ) -> str:
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder(
                issuer_name=_name(self.common),
                subject_name=subject,
                public_key=key.public_key(),
                serial_number=x509.random_serial_number(),
                not_valid_before=now - timedelta(minutes=1),
                not_valid_after=now + _LIFE,
            )
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.private.public_key()), False
            )
            .add_extension(
                x509.KeyUsage(
                    digital_signature=True, key_encipherment=True, key_cert_sign=authority,
                    content_commitment=False, data_encipherment=False, key_agreement=False,
                    crl_sign=False, encipher_only=False, decipher_only=False,
                ),
                critical=True,
            )
        )  # fmt: skip
        signed = made.sign(self.private, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM).decode()


@dataclass
class Authorities:
    """Who signs servers' certificates, and who signs clients'."""

    server: Signer = field(default_factory=lambda: Signer("testing-server-ca"))
    client: Signer = field(default_factory=lambda: Signer("testing-client-ca"))
    administrator: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def told(self) -> dict[str, Any]:
        """Return them as the contract has them."""
        both = {"server": self.server, "client": self.client}
        return {n: {"certificate": s.certificate, "key": s.key} for n, s in both.items()}

    def secrets(self) -> tuple[str, ...]:
        return self.server.key, self.client.key, _pem(self.administrator)

    def kubeconfig(self, url: str) -> str:
        """Return the administrator's way in, made as the component makes it."""
        where = url.removeprefix("https://").partition(":")[0]
        signed = self.client.signed(_name("administrator", "system:masters"), self.administrator)
        args = ClusterAuthorityArgs(cluster="testing", api_address=IPv4Address(where))
        return kubeconfig(args, self.server.certificate, signed, _pem(self.administrator))
