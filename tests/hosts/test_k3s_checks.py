"""The checks of the hardening see what is wrong, and find what our own configuration sets right."""

from __future__ import annotations

import pytest

from hosts.k3s_configuration import configuration
from hosts.on_machine import k3s_checks
from hosts.on_machine.k3s_checks import flags_of, of_flags, of_kubelet, of_modes

from .k3s_wanted import node

BY_K3S = {
    "kube-apiserver": "--anonymous-auth=false --kubelet-client-certificate=a --profiling=false "
    "--kubelet-certificate-authority=a --authorization-mode=Node,RBAC --tls-cert-file=a "
    "--service-account-key-file=a --etcd-certfile=a --client-ca-file=a --etcd-cafile=a "
    "--encryption-provider-config=a",
    "kube-controller-manager": "--profiling=false --use-service-account-credentials=true "
    "--service-account-private-key-file=a --root-ca-file=a --bind-address=127.0.0.1",
    "kube-scheduler": "--profiling=false --bind-address=127.0.0.1",
    "kubelet": "",
}


def journal(without: str = "\0") -> str:
    """Return what K3s writes of its start with our configuration, but for one argument."""
    told = configuration(node())
    lines = []
    for name, own in BY_K3S.items():
        ours = " ".join(f"--{argument}" for argument in told.get(f"{name}-arg", []))
        words = [w for w in f"{own} {ours}".split() if not w.startswith(f"--{without}")]
        lines.append(f'level=info msg="Running {name} {" ".join(words)}"')
    return "\n".join(lines)


def failing(text: str) -> set[str]:
    return {r.number for r in of_flags(flags_of(text), server=True) if r.why}


def test_what_our_configuration_sets_fails_no_check():
    assert failing(journal()) == set()


@pytest.mark.parametrize("check", k3s_checks.CHECKS, ids=lambda check: check.number)
def test_what_is_not_set_is_seen(check):
    optional = {"1.2.2", "1.2.6", "1.2.10"}  # these want something not to be there
    found = failing(journal(without=check.flag))

    assert (check.number in found) == (check.number not in optional)


@pytest.mark.parametrize(
    ("added", "number"),
    [
        ("--authorization-mode=Node,RBAC,AlwaysAllow", "1.2.6"),
        ("--enable-admission-plugins=NodeRestriction,EventRateLimit,AlwaysAdmit", "1.2.10"),
        ("--token-auth-file=/a", "1.2.2"),
        ("--tls-cipher-suites=TLS_RSA_WITH_AES_128_CBC_SHA", "1.2.29"),
        ("--audit-log-maxage=29", "1.2.17"),
    ],
)
def test_the_last_word_of_a_flag_counts(added, number):
    lines = (
        f'{line[:-1]} {added}"' if "Running kube-apiserver" in line else line
        for line in journal().splitlines()
    )

    assert failing("\n".join(lines)) == {number}


def test_a_component_whose_start_nobody_saw_is_not_taken_to_be_right():
    assert {"1.4.1", "1.4.2"} <= failing("")


def test_a_key_that_others_may_read_is_named(tmp_path):
    tls = tmp_path / "server/tls"
    tls.mkdir(parents=True)
    for name, mode in (("a.key", 0o640), ("b.key", 0o600), ("a.crt", 0o644)):
        (tls / name).touch(mode=mode)
        (tls / name).chmod(mode)

    wrong = [result.why for result in of_modes(tmp_path) if "a.key" in result.why]

    assert wrong
    assert "a.key 640" in wrong[0]


def test_kubelets_file_is_read_as_k3s_writes_it():
    text = (
        "authentication:\n  anonymous:\n    enabled: false\n  x509:\n    clientCAFile: /a\n"
        "authorization:\n  mode: Webhook\nprotectKernelDefaults: true\ntlsCertFile: /a\n"
    )

    assert not [r for r in of_kubelet(text) if r.why]
    assert [r.number for r in of_kubelet(text.replace("Webhook", "AlwaysAllow")) if r.why] == [
        "4.2.2"
    ]
