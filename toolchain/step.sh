#!/bin/sh
# step.sh NAME COMMAND...: run COMMAND, say NAME and how long it took; its output only if it fails.
name=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if [ -t 1 ]; then again='\r'; printf '  %s ...' "$name"; else again=''; fi
start=$(date +%s%N)
"$@" >"$log" 2>&1
status=$?
seconds=$(awk "BEGIN { printf \"%.1f\", ($(date +%s%N) - $start) / 1e9 }")
if [ "$status" -eq 0 ]; then
    printf "$again  %-28s %6s s   %s\n" "$name" "$seconds" "$(grep -v '^$' "$log" | tail -n 1 | cut -c 1-80)"
else
    printf "$again  %-28s %6s s   FAILED\n" "$name" "$seconds"
    cat "$log"
fi
exit "$status"
