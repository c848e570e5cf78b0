"""Keys as text: the private one that we are given, the public ones that we know hosts by."""

from __future__ import annotations

import base64
import binascii
import hashlib
from io import StringIO

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)
from paramiko import ECDSAKey, Ed25519Key, PKey, RSAKey, SSHException

from .errors import HostKeyRefusedError, PermissionDeniedError
from .target import SshTarget


def private_key(target: SshTarget) -> PKey:
    """Return the key of ``target``, read from memory; the text is in no message."""
    text = target.private_key.encode()
    load = load_ssh_private_key if b"OPENSSH PRIVATE KEY" in text else load_pem_private_key
    try:
        key = load(text, None)
        plain = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
        for kind, ours in (
            (Ed25519PrivateKey, Ed25519Key),
            (EllipticCurvePrivateKey, ECDSAKey),
            (RSAPrivateKey, RSAKey),
        ):
            if isinstance(key, kind):
                return ours.from_private_key(StringIO(plain))
    except (ValueError, TypeError, SSHException):
        pass
    # Raised outside of the handler: the cause's message may quote what it could not read.
    raise PermissionDeniedError(
        f"{target.where}: the private key can't be read, expected an unencrypted Ed25519, ECDSA or"
        " RSA key in OpenSSH's form or as PEM"
    )


def public_line(key: PKey) -> str:
    """Return ``key`` as it is written in ``host_keys``."""
    return f"{key.get_name()} {key.get_base64()}"


def kind_of_key(algorithm: str) -> str:
    """Return the kind of key behind a signature algorithm: RSA has several."""
    return "ssh-rsa" if algorithm.startswith("rsa-sha2-") else algorithm


def fingerprint(line: str) -> str:
    """Return the SHA256 fingerprint of a public key, as ``ssh-keygen -l`` prints it."""
    try:
        blob = base64.b64decode(line.split()[1], validate=True)
    except (IndexError, binascii.Error):
        return f"(not a public key: {line[:40]!r})"
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return f"SHA256:{digest} ({line.split(maxsplit=1)[0]})"


def knows(target: SshTarget, line: str) -> bool:
    """Whether a host with this key is the one that is meant."""
    known = target.host_keys
    return known is None or line in {" ".join(key.split()[:2]) for key in known}


def check_host_key(target: SshTarget, presented: PKey) -> None:
    """Refuse a host that shows none of the keys that ``target`` is known by."""
    line = public_line(presented)
    if knows(target, line):
        return
    expected = " or ".join(map(fingerprint, target.host_keys or ())) or "no key at all"
    raise HostKeyRefusedError(
        f"{target.where} is not the host that it was: it presents {fingerprint(line)},"
        f" expected {expected}"
    )
