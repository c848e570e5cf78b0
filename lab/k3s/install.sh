#!/bin/sh
# install.sh: what K3s's own does with a k3s that is there already (STAND-IN: it downloads nothing).
#
#   INSTALL_K3S_SKIP_DOWNLOAD  must be true: k3s lies in INSTALL_K3S_BIN_DIR
#   INSTALL_K3S_EXEC           the command, such as "server --cluster-init"; or as arguments
#   INSTALL_K3S_SKIP_START, INSTALL_K3S_SKIP_ENABLE, INSTALL_K3S_BIN_DIR, INSTALL_K3S_NAME
#   K3S_*                      kept for the service; K3S_URL makes it an agent
set -eu
bin=${INSTALL_K3S_BIN_DIR:-/usr/local/bin}
units=/etc/systemd/system

echo "[INFO]  STAND-IN for K3s: this script and the k3s that it installs are the lab's own"
[ "${INSTALL_K3S_SKIP_DOWNLOAD:-}" = true ] || {
    echo "[ERROR] nothing can be downloaded here: expected INSTALL_K3S_SKIP_DOWNLOAD=true" >&2
    exit 1
}
[ -x "$bin/k3s" ] || { echo "[ERROR] $bin/k3s: expected the executable k3s" >&2; exit 1; }

[ $# -gt 0 ] || eval "set -- ${INSTALL_K3S_EXEC:-}"
case ${1:-} in
'' | -*) if [ -n "${K3S_URL:-}" ]; then set -- agent "$@"; else set -- server "$@"; fi ;;
esac
name=k3s
[ "$1" = server ] || name=k3s-$1
[ -z "${INSTALL_K3S_NAME:-}" ] || name=k3s-$INSTALL_K3S_NAME
uninstall=$bin/$name-uninstall.sh

quoted=""
for word in "$@"; do
    quoted="$quoted '$(printf %s "$word" | sed "s/[\\\\']/\\\\&/g; s/%/%%/g; s/\\\$/\$\$/g")'"
done

for link in kubectl crictl ctr; do
    command -v $link >/dev/null 2>&1 || ln -sf k3s "$bin/$link"
done

(umask 077 && env | grep -E '^(K3S|CONTAINERD)_|^(NO|HTTP|HTTPS)_PROXY=' >"$units/$name.service.env") || true
cat >"$units/$name.service" <<UNIT
[Unit]
Description=Lightweight Kubernetes (STAND-IN)
Wants=network-online.target
After=network-online.target

[Install]
WantedBy=multi-user.target

[Service]
Type=notify
EnvironmentFile=-/etc/default/%N
EnvironmentFile=-$units/$name.service.env
KillMode=process
Delegate=yes
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s
ExecStartPre=-/sbin/modprobe br_netfilter
ExecStartPre=-/sbin/modprobe overlay
ExecStart=$bin/k3s$quoted
UNIT

cat >"$bin/k3s-killall.sh" <<'KILLALL'
#!/bin/sh
# Stops k3s and all that runs because of it.
[ "$(id -u)" -eq 0 ] || exec sudo --preserve-env=K3S_DATA_DIR "$0" "$@"
data=${K3S_DATA_DIR:-/var/lib/rancher/k3s}
PATH=$PATH:$data/data/current/bin:$data/data/current/bin/aux

for unit in /etc/systemd/system/k3s*.service; do
    [ -s "$unit" ] && systemctl stop "$(basename "$unit")"
done
tree() {
    for pid in "$@"; do
        echo "$pid"
        tree $(ps -e -o ppid= -o pid= | awk -v parent="$pid" '$1 == parent { print $2 }')
    done
}
shims=$(ps -e -o pid= -o args= | grep "$data/data/[^/]*/bin/containerd-shim" | awk '{ print $1 }')
for pid in $(tree $shims); do kill -9 "$pid" 2>/dev/null; done

unmounted() {
    awk -v start="$1" 'index($2, start) == 1 { print $2 }' /proc/self/mounts | sort -r |
        while read -r path; do umount -f "$path" 2>/dev/null || umount -l "$path"; rm -rf "$path"; done
}
for place in /run/k3s /var/lib/kubelet/pods /var/lib/kubelet/plugins /run/netns/cni-; do
    unmounted "$place"
done
ip netns list | awk '/^cni-/ { print $1 }' | xargs -r -n 1 ip netns delete
ip -o link show master cni0 2>/dev/null | awk -F '[:@ ]+' '{ print $2 }' | xargs -r -n 1 ip link delete
for link in cni0 flannel.1; do ip link delete $link 2>/dev/null; done
rm -rf /var/lib/cni
for kind in iptables ip6tables; do
    command -v $kind-save >/dev/null &&
        $kind-save | grep -v KUBE- | grep -v CNI- | grep -iv flannel | $kind-restore
done
exit 0
KILLALL

cat >"$uninstall" <<UNINSTALL
#!/bin/sh
# Removes k3s and all that it kept on this machine, the cluster's data too.
[ "\$(id -u)" -eq 0 ] || exec sudo --preserve-env=K3S_DATA_DIR "\$0" "\$@"
data=\${K3S_DATA_DIR:-/var/lib/rancher/k3s}
$bin/k3s-killall.sh
systemctl disable $name
rm -f $units/$name.service $units/$name.service.env
systemctl reset-failed $name 2>/dev/null
systemctl daemon-reload
rm -f $uninstall
if ls $units/k3s*.service >/dev/null 2>&1; then
    echo "Additional k3s services installed, skipping uninstall of k3s"
    exit 0
fi
for link in kubectl crictl ctr; do [ -L $bin/\$link ] && rm -f $bin/\$link; done
rm -rf /etc/rancher/k3s /run/k3s /run/flannel
# A folder that a disk is mounted on stays, empty.
for place in "\$data" /var/lib/kubelet; do
    [ ! -e "\$place" ] || find "\$place" -mindepth 1 -xdev -delete
    rmdir "\$place" 2>/dev/null
done
rm -f $bin/k3s $bin/k3s-killall.sh
exit 0
UNINSTALL
chmod 755 "$bin/k3s-killall.sh" "$uninstall"

systemctl daemon-reload
[ "${INSTALL_K3S_SKIP_ENABLE:-}" = true ] || systemctl enable "$name"
[ "${INSTALL_K3S_SKIP_START:-}" = true ] || systemctl restart "$name"
