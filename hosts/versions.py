"""Versions that everything below follows from.

Nothing is downloaded: all packages are Debian's, whose archive signs them and whose security
updates are taken. What a release has is written down here, because configuration depends on it.
"""

DEBIAN = "trixie"
POSTGRESQL = 17
"""A major version; its folders and its packages carry it."""
