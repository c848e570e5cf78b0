#!/bin/sh
# sshd.sh: have an SSH server to test against. It is not started here, and not at boot either.
set -eu
PATH=$PATH:/usr/sbin:/usr/local/sbin
if ! command -v sshd >/dev/null; then
    sh "$(dirname "$0")/debian.sh" openssh-server
    if command -v systemctl >/dev/null; then
        systemctl --quiet disable ssh.service ssh.socket 2>/dev/null || true
    fi
fi
sshd -V 2>&1 | grep -o 'OpenSSH_[^ ,]*'
