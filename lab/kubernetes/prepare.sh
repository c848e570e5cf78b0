#!/bin/sh
# prepare.sh: give a machine of systemd-nspawn what kubelet, containerd and kube-proxy expect.
set -eu

# Containers' cgroups are made below the machine's own, in every hierarchy.
mount -o remount,rw /sys/fs/cgroup 2>/dev/null || true
for controller in /sys/fs/cgroup/*/; do
    mount -o remount,rw,bind "$controller" 2>/dev/null || true
done

# Pods' mounts must reach the node's and the other way round.
mount --make-rshared /

# Kernel settings that are not a machine's own: kubelet finds the values that it wants, and may
# write them, in files that hide the real ones.
mkdir -p /run/lab-kubernetes
hide() { # VALUE PATH...
    value=$1
    shift
    for path in "$@"; do
        [ -e "/proc/sys/$path" ] || continue
        file=/run/lab-kubernetes/$(echo "$path" | tr / -)
        echo "$value" >"$file"
        mount --bind "$file" "/proc/sys/$path"
    done
}
hide 1 vm/overcommit_memory kernel/panic_on_oops
hide 0 vm/panic_on_oom
hide 10 kernel/panic
hide 1000000 kernel/keys/root_maxkeys
hide 25000000 kernel/keys/root_maxbytes

for setting in net/ipv4/ip_forward net/bridge/bridge-nf-call-iptables; do
    echo 1 >"/proc/sys/$setting"
done
