"""Where K3s' files are."""

FOLDER = "/etc/rancher/k3s"
SERVER = "/var/lib/rancher/k3s/server"
BINARY = "/usr/local/bin/k3s"
JOINED = f"{FOLDER}/joined"
"""Ours: this machine is a node, and has not left."""
