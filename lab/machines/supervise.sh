#!/bin/bash
# supervise.sh BASE LAB PORT MAC FOLDER DISKS BINDS OPTION...: run one machine until it is off.
#
# Everything made here hangs on the processes: mounts on a mount namespace, loop devices on open
# files, the network card on a network namespace. However the machine ends, nothing of it is left.
#   LAB     name of the lab's network namespace, where the bridge is
#   DISKS   lines "FILE DEVICE", the device as the machine is to see it
#   BINDS   lines "FOLDER", which lie on the root disk itself and not on the overlay
#   CGROUPS (environment) folders of the machine's cgroup
#   OPTION  further options of systemd-nspawn
set -euo pipefail
bridge=br0

attach() { # FILE: print its loop device; only one machine may have a disk
    exec {lock}<"$1"
    flock --nonblock "$lock" || { echo "$1: another machine has this disk" >&2; return 1; }
    loop=$(losetup --find --show "$1")
    exec {held}<>"$loop"
    losetup --detach "$loop" # it goes when the last who has it open goes
}

once() {
    local base=$1 lab=$2 port=$3 mac=$4 folder=$5 disks=$6 binds=$7
    shift 7
    ip -n "$lab" link delete "$port" 2>/dev/null || true # of a machine that was killed
    ip link add eth0 address "$mac" type veth peer name "$port" netns "$lab"
    nsenter --net="/run/netns/$lab" ip link set "$port" master $bridge up

    local mnt=$folder/mnt
    mount -t tmpfs -o mode=700 lab "$mnt"
    mkdir -p /run/systemd/nspawn
    mount -t tmpfs -o mode=700 lab /run/systemd/nspawn # its locks would outlive a killed machine
    mkdir "$mnt/disk" "$mnt/tree"
    attach "$folder/root.raw"
    mount -t ext4 "$loop" "$mnt/disk"
    resize2fs "$loop" >/dev/null 2>&1 || true # it may have grown
    mkdir -p -m 755 "$mnt/disk/upper" "$mnt/disk/work" "$mnt/disk/folders"
    mount -t overlay -o "lowerdir=$base,upperdir=$mnt/disk/upper,workdir=$mnt/disk/work" \
        lab "$mnt/tree"
    if [[ ! -e $mnt/disk/started ]]; then
        cp -a "$folder/first-start/." "$mnt/tree/"
        chroot "$mnt/tree" sh -e /.first-start.sh
        rm "$mnt/tree/.first-start.sh"
        touch "$mnt/disk/started"
        sync --file-system "$mnt/disk"
    fi

    local options=() links="" file device bound
    while read -r file device; do
        [[ -n $file ]] || continue
        attach "$file"
        options+=("--bind=$loop")
        links+="L+ $device - - - - $loop"$'\n'
    done <<<"$disks"
    echo -n "$links" >"$mnt/tree/etc/tmpfiles.d/lab-disks.conf"
    while read -r bound; do
        [[ -n $bound ]] || continue
        mkdir -p "$mnt/disk/folders$bound"
        options+=("--bind=$mnt/disk/folders$bound:$bound")
    done <<<"$binds"

    # No --private-network: the namespace is made already, with the card in it.
    local code=0
    SYSTEMD_NSPAWN_API_VFS_WRITABLE=network systemd-nspawn --quiet --boot --register=no \
        --keep-unit --settings=no --link-journal=no --resolv-conf=off --timezone=off \
        --capability=CAP_NET_ADMIN --directory="$mnt/tree" "${options[@]}" "$@" </dev/null ||
        code=$?
    ip link delete eth0 2>/dev/null || true
    return $code
}

if [[ $1 == once ]]; then
    shift
    once "$@"
    exit
fi
code=133 # what systemd-nspawn --keep-unit exits with when the machine wants to start again
while ((code == 133)); do
    code=0
    for group in $CGROUPS; do # what is left of the run before slows the next one down
        find "$group" -mindepth 1 -depth -type d -exec rmdir {} + 2>/dev/null || true
    done
    unshare --mount --net "$BASH" "$0" once "$@" || code=$?
done
echo "off, exit $code"
