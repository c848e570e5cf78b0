#!/bin/sh
# cold.sh [test|up]: run README's command on an empty clone with empty caches, as on a new machine.
set -eu
target=${1:-test}
here=$(cd "$(dirname "$0")/.." && pwd)
cold=$(mktemp -d)
export XDG_CACHE_HOME="$cold/cache" GOMODCACHE="$cold/modules" GOCACHE="$cold/go" PIP_NO_CACHE_DIR=1
git clone -q "$here" "$cold/clone"
cd "$cold/clone"
end() {
    # A lab that stays would hold files that are about to go.
    [ "$target" = test ] || make down
    cd /
    chmod -R u+w "$cold"
    rm -rf "$cold"
}
trap end EXIT
start=$(date +%s)
status=0
make "$target" || status=$?
echo "make $target from an empty clone with empty caches: $(($(date +%s) - start)) s, exit code $status"
exit "$status"
