#!/bin/sh
# servers.sh: have what tests need to play a host: an SSH server, sudo, a second shell.
# The server is not started here, and not at boot either.
set -eu
PATH=$PATH:/usr/sbin:/usr/local/sbin
need() { command -v "$1" >/dev/null || sh "$(dirname "$0")/debian.sh" "$2"; }

command -v sshd >/dev/null || new=yes
need sshd openssh-server
if [ "${new-}" ] && command -v systemctl >/dev/null; then
    systemctl --quiet disable ssh.service ssh.socket 2>/dev/null || true
fi
need sudo sudo
need ps procps
need busybox busybox-static
sshd -V 2>&1 | grep -o 'OpenSSH_[^ ,]*'
