#!/bin/sh
# debian.sh PACKAGE: have a package of the system installed, or say who has to do it.
# Nothing that it brings along is started: a test needs a program, not a service on this machine.
set -eu
package=$1

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "$package is missing. Install it: sudo apt-get install $package" >&2
    exit 1
fi
refusal=/usr/sbin/policy-rc.d
if [ ! -e "$refusal" ]; then
    trap 'rm -f "$refusal"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$refusal"
    chmod +x "$refusal"
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$package"
