"""A rollout that failed gives way to the pods that still serve."""

from __future__ import annotations

from typing import Any

import pytest

from components.rollback import HASH, REVISION, take_back

APPS = "/apis/apps/v1/namespaces/application"


def replica_set(revision: int, ready: int, owner: str = "one") -> dict[str, Any]:
    labels = {"app": "x", HASH: str(revision)}
    return {
        "metadata": {"annotations": {REVISION: str(revision)}, "ownerReferences": [{"uid": owner}]},
        "spec": {
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"image": f"app:{revision}"}]},
            }
        },
        "status": {"readyReplicas": ready} if ready else {},
    }


class Api:
    """A cluster with one Deployment; it raises on anything unexpected."""

    def __init__(self, *sets: dict[str, Any]) -> None:
        self.sets, self.patched = list(sets), []

    def get(self, path):
        return {
            f"{APPS}/deployments/employee": {"metadata": {"uid": "one"}},
            f"{APPS}/replicasets": {"items": self.sets},
        }[path]

    def patch(self, path, change):
        self.patched.append((path, change))


def test_the_newest_pods_that_serve_come_back():
    api = Api(replica_set(10, 0), replica_set(8, 1), replica_set(9, 3), replica_set(2, 0))

    said = take_back(api, "application", "employee")

    ((path, (change,)),) = api.patched
    assert path.startswith(f"{APPS}/deployments/employee?")
    assert change["path"] == "/spec/template"
    assert change["value"]["spec"]["containers"][0]["image"] == "app:9"
    assert change["value"]["metadata"]["labels"] == {"app": "x"}
    assert "3 pods go on with app:9" in said


@pytest.mark.parametrize(
    "sets",
    [
        [],
        [replica_set(1, 0), replica_set(2, 3)],
        [replica_set(1, 0), replica_set(2, 0)],
        [replica_set(1, 3, "another"), replica_set(2, 0)],
    ],
)
def test_nothing_is_touched_where_going_back_would_help_nobody(sets):
    api = Api(*sets)

    assert "no pod of an earlier one serves" in take_back(api, "application", "employee")
    assert not api.patched
