"""What the lab's Kubernetes is made of; built on demand only, by `python3 -m toolchain --cluster`.

Kubernetes 1.33.6, the stack's, is not complete where only Go modules can be had: 1.33.4 is the
nearest that is. The other minors are there to rehearse an upgrade.
"""

from collections.abc import Mapping

from .tool import WHOLE, Download, GoBuild, Tool

K3S = "1.33.6+k3s1"
"""The stack's; taken where it can be downloaded, and nothing plays it then."""
K3S_FILES = ("k3s", "k3s-airgap-images-amd64.tar.zst")
KUBERNETES = "1.33.4"
MINORS = {"1.33.4": "kubernetes", "1.34.4": "kubernetes-1.34", "1.35.0": "kubernetes-1.35"}
"""The module that requires each version."""


def _tool(
    name: str,
    version: str,
    module: str,
    package: str = ".",
    *,
    by_hand: str = "",
    variable: str = "main.version",
    copies: Mapping[str, tuple[str, str]] | None = None,
) -> Tool:
    return Tool(
        name=name,
        version=version,
        by_hand=f"https://{by_hand or package}",
        module=GoBuild(
            directory=f"toolchain/modules/{module}",
            package=package,
            output=f"cluster/{name}",
            version_variable=variable,
            version_prefix="v",
            copies=copies or {},
        ),
    )


def kubernetes(version: str) -> Tool:
    """Return Kubernetes' components and etcd, as one program."""
    where, (major, minor, _) = "k8s.io/component-base/version", version.split(".")
    # Clients ask for the two numbers apart, and the linker takes more than one assignment.
    variable = f"{where}.gitMajor={major} -X {where}.gitMinor={minor} -X {where}.gitVersion"
    return _tool(
        f"kubernetes-{version}",
        version,
        MINORS[version],
        by_hand="kubernetes.io/releases",
        variable=variable,
    )


def _launcher() -> Tool:
    return Tool(
        name="k3s",
        version="1",
        by_hand="https://github.com/k3s-io/k3s/releases (the real one)",
        standin=GoBuild(
            directory="lab/k3s",
            package=".",
            output="cluster/k3s",
            version_variable="main.version",
        ),
    )


def _of_the_release(file: str) -> Tool:
    release = "https://github.com/k3s-io/k3s/releases/download/v{version}"
    return Tool(
        name="real-k3s" if file == "k3s" else file,
        version=K3S,
        by_hand=f"{release}/{file}",
        download=Download(
            url=f"{release}/{file}",
            members={WHOLE: f"real-k3s/{file}"},
            checksums=f"{release}/sha256sum-{{arch}}.txt",
        ),
        only_for="K3s itself in the lab; upstream Kubernetes plays it",
    )


def _application() -> Tool:
    return Tool(
        name="cold-backend",
        version="1.5.173",
        by_hand="nothing replaces it: the company's own is not for sale",
        standin=GoBuild(
            directory="lab/application",
            package=".",
            output="cluster/cold-backend",
            version_variable="main.version",
            version_prefix="v",
        ),
    )


METALLB = "go.universe.tf/metallb"
_PLUGINS = "github.com/containernetworking/plugins/plugins"

COMMON = (
    _launcher(),
    _tool("flannel", "0.28.4", "flannel", by_hand="github.com/flannel-io/flannel"),
    _tool("kube-router", "2.2.1", "kube-router", by_hand="github.com/k3s-io/kube-router"),
    _tool("cni-bridge", "1.8.0", "cni", f"{_PLUGINS}/main/bridge"),
    _tool("cni-loopback", "1.8.0", "cni", f"{_PLUGINS}/main/loopback"),
    _tool("cni-host-local", "1.8.0", "cni", f"{_PLUGINS}/ipam/host-local"),
    _tool("cni-portmap", "1.8.0", "cni", f"{_PLUGINS}/meta/portmap"),
    _tool("pause", "1", "pause", by_hand="kubernetes.io/releases"),
    _tool(
        "registry",
        "3.0.0",
        "registry",
        "github.com/distribution/distribution/v3/cmd/registry",
    ),
    _tool(
        "metallb-controller",
        "0.15.2",
        "metallb",
        f"{METALLB}/controller",
        # What its makers publish beside it: a stack file names it by its checksum.
        copies={
            "cluster/metallb-native.yaml": (METALLB, "config/manifests/metallb-native.yaml"),
        },
    ),
    _tool("metallb-speaker", "0.15.2", "metallb", f"{METALLB}/speaker"),
    _application(),
    _tool("coredns", "1.12.1", "coredns", by_hand="coredns.io"),
)


MONITORING = (
    _tool(
        "kube-state-metrics",
        "2.15.0",
        "kube-state-metrics",
        "k8s.io/kube-state-metrics/v2",
        by_hand="github.com/kubernetes/kube-state-metrics",
        variable="github.com/prometheus/common/version.Version",
    ),
)
"""What watches the cluster and Debian has not; no cluster waits for it."""

REAL_K3S = tuple(_of_the_release(file) for file in K3S_FILES)


def cluster_tools(version: str = KUBERNETES) -> tuple[Tool, ...]:
    """Return all that a cluster of one version needs."""
    return (kubernetes(version), *COMMON)
