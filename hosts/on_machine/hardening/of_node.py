"""Controls of every node: kubelet, kube-proxy, the kernel (the benchmark's chapter 4)."""

from __future__ import annotations

from .control import (
    Check,
    Control,
    Files,
    Kernel,
    at_least,
    both,
    equals,
    flag,
    has,
    is_set,
    kubelet,
    lacks,
    strong,
    unless,
)
from .seen import HOME

_AGENT = f"{HOME}/agent"
_CONFIG = f"{_AGENT}/etc/kubelet.conf.d/*.conf"
_PUBLIC = "the authority is public, and K3s writes it 644"
_ROTATES = "rotateCertificates"
_GATE = "featureGates.RotateKubeletServerCertificate"


def _control(number: str, title: str, check: Check | None, exception: str = "") -> Control:
    return Control(number=number, title=title, check=check, exception=exception, on_agents=True)


FILES = (
    _control("4.1.3", "kube-proxy's way in", Files(f"{_AGENT}/kubeproxy.kubeconfig", 0o600)),
    _control("4.1.5", "kubelet's way in", Files(f"{_AGENT}/kubelet.kubeconfig", 0o600)),
    _control("4.1.7", "clients' authority", Files(f"{_AGENT}/client-ca.crt", 0o644), _PUBLIC),
    _control("4.1.9", "kubelet's settings", Files(_CONFIG, 0o600)),
    _control("4.1.x", "keys", Files(f"{_AGENT}/*.key", 0o600)),
    _control("4.1.y", "K3s' settings", Files("/etc/rancher/k3s/*.yaml", 0o600)),
    _control("4.1.z", "tokens", Files("/etc/rancher/k3s/*token", 0o600)),
)
KUBELET = (
    _control(
        "4.2.1",
        "kubelet: nobody is anonymous",
        kubelet("anonymous-auth", "authentication.anonymous.enabled", equals("false")),
    ),
    _control(
        "4.2.2",
        "kubelet: the API says who may",
        kubelet("authorization-mode", "authorization.mode", equals("Webhook")),
    ),
    _control(
        "4.2.3",
        "kubelet: clients are known",
        kubelet("client-ca-file", "authentication.x509.clientCAFile", is_set),
    ),
    _control(
        "4.2.4",
        "kubelet: no port for everybody",
        kubelet("read-only-port", "readOnlyPort", lambda found: found in (None, "0")),
    ),
    _control(
        "4.2.5",
        "kubelet: idle streams end",
        kubelet(
            "streaming-connection-idle-timeout",
            "streamingConnectionIdleTimeout",
            lambda found: found not in (None, "0", "0s"),
        ),
    ),
    _control(
        "4.2.6",
        "kubelet: its own chains",
        kubelet("make-iptables-util-chains", "makeIPTablesUtilChains", unless("false")),
    ),
    _control(
        "4.2.7",
        "kubelet: named as the machine",
        None,
        "K3s names it itself, and its certificate says the same",
    ),
    _control(
        "4.2.8", "kubelet: events are not lost", kubelet("event-qps", "eventRecordQPS", at_least(1))
    ),
    _control(
        "4.2.9",
        "kubelet: TLS",
        both(
            kubelet("tls-cert-file", "tlsCertFile", is_set),
            kubelet("tls-private-key-file", "tlsPrivateKeyFile", is_set),
        ),
    ),
    _control(
        "4.2.10",
        "kubelet: its certificate is renewed",
        kubelet("rotate-certificates", _ROTATES, unless("false")),
    ),
    _control(
        "4.2.11",
        "kubelet: and the one it shows",
        kubelet("feature-gates", _GATE, lacks("RotateKubeletServerCertificate=false", "false")),
    ),
    _control(
        "4.2.12", "kubelet: strong ciphers", kubelet("tls-cipher-suites", "tlsCipherSuites", strong)
    ),
    _control(
        "4.2.13",
        "kubelet: a pod's processes are counted",
        kubelet("pod-max-pids", "podPidsLimit", at_least(1)),
    ),
    _control(
        "4.2.14",
        "kubelet: calls are filtered",
        kubelet("seccomp-default", "seccompDefault", equals("true")),
    ),
    _control(
        "4.2.x",
        "kubelet: the kernel as kubelet wants it",
        kubelet("protect-kernel-defaults", "protectKernelDefaults", equals("true")),
    ),
    _control(
        "4.3.1",
        "kube-proxy answers itself only",
        flag(
            "kube-proxy",
            "metrics-bind-address",
            lambda found: found is None or has("127.0.0.1")(found.partition(":")[0]),
        ),
    ),
)
KERNEL = tuple(
    _control(f"kernel.{count}", name, Kernel(name, value))
    for count, (name, value) in enumerate(
        (
            ("vm.overcommit_memory", "1"),
            ("vm.panic_on_oom", "0"),
            ("kernel.panic", "10"),
            ("kernel.panic_on_oops", "1"),
            ("kernel.keys.root_maxbytes", "25000000"),
            ("kernel.keys.root_maxkeys", "1000000"),
        ),
        start=1,
    )
)
CONTROLS = (*FILES, *KUBELET, *KERNEL)
