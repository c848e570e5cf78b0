"""Versions that everything below follows from.

All packages are Debian's, whose archive signs them and whose security updates are taken. What a
release has is written down here, because configuration depends on it. K3s alone is downloaded, once
and by who runs the deploy: its version and its checksums are in the stack file, beside each other.
"""

DEBIAN = "trixie"
POSTGRESQL = 17
"""A major version; its folders and its packages carry it."""
