#!/bin/sh
# step.sh NAME COMMAND...: say NAME, run COMMAND, say how long it took; its output only if it fails.
name=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
printf '  %-28s' "$name"
start=$(date +%s%N)
status=0
"$@" >"$log" 2>&1 || status=$?
seconds=$(awk "BEGIN { printf \"%.1f\", ($(date +%s%N) - $start) / 1e9 }")
if [ "$status" -eq 0 ]; then
    printf ' %6s s   %s\n' "$seconds" "$(grep -v '^$' "$log" | tail -n 1 | cut -c 1-80)"
else
    printf ' %6s s   FAILED\n' "$seconds"
    cat "$log"
fi
exit "$status"
