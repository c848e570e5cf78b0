"""Who may do what in the cluster, by the roles that somebody has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .seen import Look, Object, Offence, Seen, name_of

Rule = dict[str, Any]
_SOMEBODY = {"*", "clusterroles", "groups", "roles", "serviceaccounts", "users"}
_ADMINISTRATORS = {"kind": "Group", "name": "system:masters"}


def grants(resource: str, *verbs: str) -> Look:
    """Look for who may do any of these with a resource."""

    def fits(rule: Rule) -> bool:
        about = {*rule.get("resources", [])} & {resource, "*"}
        return bool(about) and bool({*rule["verbs"]} & {*verbs, "*"})

    return _bound(fits)


def verbs(*words: str) -> Look:
    """Look for who may do any of these with an account or a role."""

    def fits(rule: Rule) -> bool:
        about = {*rule.get("resources", [])} & _SOMEBODY
        return bool(about) and bool({*rule["verbs"]} & {*words, "*"})

    return _bound(fits)


def wildcards(seen: Seen) -> Iterable[Offence]:
    """Look for roles that name no verbs or no resources."""
    return _bound(lambda rule: "*" in (*rule["verbs"], *rule.get("resources", [])))(seen)


def all_rights(seen: Seen) -> Iterable[Offence]:
    """Look for administrators besides the one."""
    return [
        _of(binding)
        for binding in _bindings(seen)
        if binding["roleRef"]["name"] == "cluster-admin"
        and (binding["metadata"]["name"] != "cluster-admin" or not _only_masters(binding))
    ]


def masters(seen: Seen) -> Iterable[Offence]:
    """Look for what the group of administrators was given besides all rights."""
    return [
        _of(binding)
        for binding in _bindings(seen)
        if binding["metadata"]["name"] != "cluster-admin"
        and any(subject["name"] == "system:masters" for subject in binding.get("subjects", []))
    ]


def default_accounts(seen: Seen) -> Iterable[Offence]:
    """Look at the accounts of K3s' namespaces; in ours each pod refuses the token itself."""
    wanted = {"default", "kube-node-lease", "kube-public", "kube-system"}
    given = {
        (account["metadata"]["namespace"], name_of(account))
        for account in seen.of_kind("ServiceAccount")
        if account["metadata"]["name"] == "default"
        and account.get("automountServiceAccountToken") is not False
    }
    return [(where, name) for where, name in given if where in wanted]


def _only_masters(binding: Object) -> bool:
    told = [{key: s[key] for key in ("kind", "name")} for s in binding.get("subjects", [])]
    return told == [_ADMINISTRATORS]


def _bound(fits: Callable[[Rule], bool]) -> Look:
    return lambda seen: [_of(binding) for binding, rule in _granted(seen) if fits(rule)]


def _of(binding: Object) -> Offence:
    return name_of(binding), name_of(binding)


def _granted(seen: Seen) -> Iterator[tuple[Object, Rule]]:
    """Yield each binding with each rule of its role, but for those that Kubernetes itself has."""
    roles = {
        (role["kind"], name_of(role)): role.get("rules") or []
        for role in (*seen.of_kind("Role"), *seen.of_kind("ClusterRole"))
    }
    for binding in _bindings(seen):
        role = binding["roleRef"]
        # All rights are a control of their own.
        if role["name"] == "cluster-admin" or binding["metadata"]["name"].startswith("system:"):
            continue
        space = binding["metadata"].get("namespace") if role["kind"] == "Role" else None
        place = f"{space}/{role['name']}" if space else role["name"]
        for rule in roles.get((role["kind"], place), []):
            yield binding, rule


def _bindings(seen: Seen) -> list[Object]:
    return [*seen.of_kind("ClusterRoleBinding"), *seen.of_kind("RoleBinding")]
