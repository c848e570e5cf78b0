#!/bin/sh
# cloud-init in the lab's machines: A STAND-IN. What it would do was done before the first start;
# here is only what a deploy asks it: cloud-init status [--wait] [--long].
echo "cloud-init: STAND-IN of the lab" >&2
[ "$1" = status ] || {
    echo "cloud-init: only status is here, got: $*" >&2
    exit 2
}
case " $* " in
*" --wait "*) systemctl is-system-running --wait >/dev/null 2>&1 || true ;; # it may be degraded
esac
echo "status: done"
case " $* " in
*" --long "*) echo "detail: DataSourceNoCloud (STAND-IN)" ;;
esac
