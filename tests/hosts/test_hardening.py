"""Each control can fail, nothing that our deploy makes fails one, and nobody is asked in vain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from hosts.machine_for_k3s import KERNEL
from hosts.on_machine.hardening.__main__ import CONTROLS, judged
from hosts.on_machine.hardening.control import EXCEPTION, FAIL, PASS, Control, Files, Kernel
from hosts.on_machine.hardening.seen import Seen, flattened, modes

from .hardened import (
    Break,
    admitted,
    also,
    bound,
    encrypted_by,
    flag,
    hardened,
    named,
    pod,
    role,
    setting,
    with_mode,
)

API, MANAGER, SCHEDULER = "kube-apiserver", "kube-controller-manager", "kube-scheduler"
PLUGINS = "enable-admission-plugins"
CLIENTS, PEERS = "client-transport-security", "peer-transport-security"
WRONG: Mapping[str, Break] = {
    "1.2.1": flag(API, "anonymous-auth", "true"),
    "1.2.2": flag(API, "token-auth-file", "/a"),
    "1.2.3": flag(API, PLUGINS, "NodeRestriction,EventRateLimit"),
    "1.2.4": flag(API, "kubelet-client-key", None),
    "1.2.5": flag(API, "kubelet-certificate-authority", None),
    "1.2.6": flag(API, "authorization-mode", "Node,RBAC,AlwaysAllow"),
    "1.2.7": flag(API, "authorization-mode", "RBAC"),
    "1.2.8": flag(API, "authorization-mode", "Node"),
    "1.2.9": flag(API, PLUGINS, "NodeRestriction,DenyServiceExternalIPs"),
    "1.2.10": flag(
        API, PLUGINS, "NodeRestriction,EventRateLimit,DenyServiceExternalIPs,AlwaysAdmit"
    ),
    "1.2.12": flag(API, "disable-admission-plugins", "ServiceAccount"),
    "1.2.13": flag(API, "disable-admission-plugins", "NamespaceLifecycle"),
    "1.2.14": flag(API, PLUGINS, "EventRateLimit,DenyServiceExternalIPs"),
    "1.2.15": flag(API, "profiling", None),
    "1.2.16": flag(API, "audit-log-path", None),
    "1.2.17": flag(API, "audit-log-maxage", "29"),
    "1.2.18": flag(API, "audit-log-maxbackup", "9"),
    "1.2.19": flag(API, "audit-log-maxsize", "99"),
    "1.2.20": flag(API, "request-timeout", None),
    "1.2.21": flag(API, "service-account-lookup", "false"),
    "1.2.22": flag(API, "service-account-key-file", None),
    "1.2.23": flag(API, "etcd-keyfile", None),
    "1.2.24": flag(API, "tls-private-key-file", None),
    "1.2.25": flag(API, "client-ca-file", None),
    "1.2.26": flag(API, "etcd-cafile", None),
    "1.2.27": flag(API, "encryption-provider-config", None),
    "1.2.28": encrypted_by("identity"),
    "1.2.29": flag(API, "tls-cipher-suites", "TLS_RSA_WITH_AES_128_CBC_SHA"),
    "1.2.30": flag(API, "service-account-extend-token-expiration", None),
    "1.3.1": flag(MANAGER, "terminated-pod-gc-threshold", "0"),
    "1.3.2": flag(MANAGER, "profiling", "true"),
    "1.3.3": flag(MANAGER, "use-service-account-credentials", "false"),
    "1.3.4": flag(MANAGER, "service-account-private-key-file", None),
    "1.3.5": flag(MANAGER, "root-ca-file", None),
    "1.3.6": flag(MANAGER, "feature-gates", "A=true,RotateKubeletServerCertificate=false"),
    "1.3.7": flag(MANAGER, "bind-address", "192.0.2.1"),
    "1.4.1": flag(SCHEDULER, "profiling", "true"),
    "1.4.2": flag(SCHEDULER, "bind-address", "192.0.2.1"),
    "2.1": setting("etcd", f"{CLIENTS}.key-file", ""),
    "2.2": setting("etcd", f"{CLIENTS}.client-cert-auth", "false"),
    "2.3": setting("etcd", f"{CLIENTS}.auto-tls", "true"),
    "2.4": setting("etcd", f"{PEERS}.cert-file", ""),
    "2.5": setting("etcd", f"{PEERS}.client-cert-auth", "false"),
    "2.6": setting("etcd", f"{PEERS}.auto-tls", "true"),
    "2.7": setting(
        "etcd", f"{PEERS}.trusted-ca-file", "/var/lib/rancher/k3s/server/tls/server-ca.crt"
    ),
    "3.2.1": flag(API, "audit-policy-file", None),
    "4.2.1": setting("kubelet", "authentication.anonymous.enabled", "true"),
    "4.2.2": flag("kubelet", "authorization-mode", "AlwaysAllow"),
    "4.2.3": setting("kubelet", "authentication.x509.clientCAFile", ""),
    "4.2.4": setting("kubelet", "readOnlyPort", "10255"),
    "4.2.5": flag("kubelet", "streaming-connection-idle-timeout", "0"),
    "4.2.6": flag("kubelet", "make-iptables-util-chains", "false"),
    "4.2.8": flag("kubelet", "event-qps", "0"),
    "4.2.9": setting("kubelet", "tlsPrivateKeyFile", ""),
    "4.2.10": setting("kubelet", "rotateCertificates", "false"),
    "4.2.11": setting("kubelet", "featureGates.RotateKubeletServerCertificate", "false"),
    "4.2.12": flag("kubelet", "tls-cipher-suites", None),
    "4.2.13": flag("kubelet", "pod-max-pids", "-1"),
    "4.2.14": flag("kubelet", "seccomp-default", None),
    "4.2.x": setting("kubelet", "protectKernelDefaults", "false"),
    "4.3.1": flag("kube-proxy", "metrics-bind-address", "192.0.2.1:10249"),
    "5.1.1": also(bound("another", "User", "somebody")),
    "5.1.2": also(*role("reads", "secrets", "get")),
    "5.1.3": also(*role("all", "services", "*")),
    "5.1.4": also(*role("makes", "pods", "create")),
    "5.1.5": also(named("ServiceAccount", "default", "kube-system")),
    "5.1.6": also(pod(automountServiceAccountToken=None)),
    "5.1.7": also(bound("more", "Group", "system:masters", "reader")),
    "5.1.8": also(*role("becomes", "serviceaccounts", "impersonate")),
    "5.1.9": also(*role("makes", "persistentvolumes", "create")),
    "5.1.10": also(*role("passes", "nodes/proxy", "get")),
    "5.1.11": also(*role("approves", "certificatesigningrequests/approval", "update")),
    "5.1.12": also(*role("hooks", "validatingwebhookconfigurations", "patch")),
    "5.1.13": also(*role("tokens", "serviceaccounts/token", "create")),
    "5.2.1": admitted(defaults={"enforce": "baseline"}),
    "5.2.2": also(
        pod(
            container={
                "securityContext": {
                    "privileged": True,
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                }
            }
        )
    ),
    "5.2.3": also(pod(hostPID=True)),
    "5.2.4": also(pod(hostIPC=True)),
    "5.2.5": also(pod(hostNetwork=True)),
    "5.2.6": also(pod(container={"securityContext": {"capabilities": {"drop": ["all"]}}})),
    "5.2.7": also(pod(securityContext={})),
    "5.2.8": also(pod(container={"securityContext": {"allowPrivilegeEscalation": False}})),
    "5.2.11": also(pod(volumes=[{"name": "a", "hostPath": {"path": "/"}}])),
    "5.2.12": also(pod(container={"ports": [{"containerPort": 80, "hostPort": 80}]})),
    "5.3.2": also(pod(namespace="open")),
    "5.4.1": also(
        pod(container={"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "a"}}}]})
    ),
    "5.6.2": also(
        pod(securityContext={"runAsNonRoot": True, "seccompProfile": {"type": "Unconfined"}})
    ),
    "5.6.4": also(named("Service", "left", "default")),
}
ALONE = [control for control in CONTROLS if control.check]


def failing(seen: Seen) -> set[str]:
    return {result.number for result in judged(seen) if result.outcome == FAIL}


def test_what_our_deploy_makes_fails_no_control():
    assert {r.number: r.why for r in judged(hardened()) if r.outcome == FAIL} == {}


def broken(control: Control) -> Seen:
    """Return a server that is wrong in this alone."""
    match control.check:
        case Files(pattern=pattern, most=most):
            return with_mode(pattern, f"{most | 0o002:o} 0:0")(hardened())
        case Kernel(name=name):
            return setting("kernel", name, "7")(hardened())
    return WRONG[control.number](hardened())


@pytest.mark.parametrize("control", ALONE, ids=lambda control: control.number)
def test_every_control_sees_what_is_wrong_and_no_other_does(control):
    assert failing(broken(control)) == {control.number}


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.number)
def test_what_is_not_looked_at_or_let_be_has_a_reason(control):
    result = control.judge(hardened())

    assert control.check or control.exception
    assert (result.outcome == EXCEPTION) == bool(result.why)
    assert not control.exception or result.why == control.exception


def test_what_may_be_let_be_is_no_exception_until_it_is_there():
    def of(seen: Seen) -> str:
        (result,) = [result for result in judged(seen) if result.number == "5.2.12"]
        return result.outcome

    open_port = {"ports": [{"containerPort": 80, "hostPort": 80}]}

    assert of(hardened()) == PASS
    assert of(also(pod("a", "metallb-system", container=open_port))(hardened())) == EXCEPTION
    assert of(also(pod("a", "application", container=open_port))(hardened())) == FAIL


def test_numbers_are_there_once():
    assert len({control.number for control in CONTROLS}) == len(CONTROLS)


@pytest.mark.parametrize(
    ("wrong", "number"),
    [
        (also(named("Namespace", "n")), None),
        (
            also(
                {
                    "kind": "Namespace",
                    "metadata": {
                        "name": "open",
                        "labels": {"pod-security.kubernetes.io/enforce": "privileged"},
                    },
                }
            ),
            "5.2.1",
        ),
        (admitted(exemptions={"namespaces": ["kube-system", "application"]}), "5.2.1"),
        (with_mode("/etc/rancher/k3s/*token", "600 1000:0"), "4.1.z"),
        (lambda seen: replace(seen, encryption={}), "1.2.28"),
    ],
)
def test_there_is_more_than_one_way_to_be_wrong(wrong, number):
    assert failing(wrong(hardened())) == ({number} if number else set())


def test_a_component_whose_start_nobody_saw_is_not_taken_to_be_right():
    nothing = {key: {} for key in ("flags", "etcd", "kubelet", "files", "kernel", "encryption")}
    blind = replace(hardened(), **nothing, objects=None)
    silent = {c.number for c in ALONE} - failing(blind)

    # Without pods there are no addresses of theirs.
    assert silent == {"1.1.9"}


def test_an_agent_is_asked_what_agents_know():
    agent = judged(replace(hardened(), server=False, etcd={}, objects=None))

    assert {result.number[0] for result in agent} == {"4", "k"}
    assert not [result for result in agent if result.outcome == FAIL]


def test_the_kernel_is_held_to_what_the_machine_is_given():
    wanted = {c.check.name: c.check.value for c in CONTROLS if isinstance(c.check, Kernel)}

    # The base sets it for every machine.
    assert wanted.pop("kernel.panic") == "10"
    assert wanted.items() <= dict(KERNEL).items()


def test_files_are_seen_with_their_owner(tmp_path):
    for name, mode in (("a.key", 0o640), ("b.key", 0o600)):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    owner = f"{tmp_path.stat().st_uid}:{tmp_path.stat().st_gid}"

    assert modes(f"{tmp_path}/*.key") == {
        f"{tmp_path}/a.key": f"640 {owner}",
        f"{tmp_path}/b.key": f"600 {owner}",
    }


def test_settings_are_read_by_their_path():
    text = "# a\na:\n  b:\n    c: 1\n  d: 'x'\nlist:\n- p\n- q\ne: \"y: z\"\n"

    assert flattened(text) == {"a.b.c": "1", "a.d": "x", "list": "p,q", "e": "y: z"}


def test_names_are_known_by_their_beginning_where_a_maker_has_many():
    both = role("cert-manager-controller-orders", "secrets", "get")
    stranger = role("my-cert-manager", "secrets", "get")

    assert failing(also(*both)(hardened())) == set()
    assert failing(also(*stranger)(hardened())) == {"5.1.2"}
