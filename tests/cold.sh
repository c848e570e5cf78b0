#!/bin/sh
# cold.sh: run README's test command on an empty clone with empty caches, as CI's first run does.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
cold=$(mktemp -d)
trap 'chmod -R u+w "$cold"; rm -rf "$cold"' EXIT
git clone -q "$here" "$cold/clone"
cd "$cold/clone"
start=$(date +%s)
status=0
env XDG_CACHE_HOME="$cold/cache" GOMODCACHE="$cold/modules" GOCACHE="$cold/go" \
    PIP_NO_CACHE_DIR=1 make test || status=$?
echo "make test from an empty clone with empty caches: $(($(date +%s) - start)) s, exit code $status"
exit "$status"
