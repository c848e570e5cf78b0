"""Names, and what is replaced: before or after its successor."""

from __future__ import annotations

import re

import pytest

pytestmark = [pytest.mark.engine, pytest.mark.cluster]

JOB = {"spec": {"restartPolicy": "Never", "containers": [{"name": "job", "image": "job:1"}]}}


def steps(project) -> list[str]:
    return [step["op"] for step in project.planned().values()]


def test_a_name_of_its_own_is_kept_over_changes(project):
    mutable = {"enable_config_map_mutable": True}
    project.want("small", mutable, objects=[{"kind": "ConfigMap", "data": {"a": "1"}}])
    project.up()
    name = project.output("object-0")

    project.want("small", mutable, objects=[{"kind": "ConfigMap", "data": {"a": "2"}}])
    changes = project.up()

    assert re.fullmatch(r"object-0-[0-9a-f]{8}", name)
    assert changes["update"] == 1
    assert project.output("object-0") == name


def test_an_object_with_a_fixed_name_is_deleted_before_its_successor(project, cluster):
    def job(image: str) -> dict:
        container = {"name": "job", "image": image}
        template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
        return {"kind": "Job", "metadata": {"name": "job"}, "spec": {"template": template}}

    project.want("small", objects=[job("job:1")])
    project.up()
    before = cluster.get("/apis/batch/v1/namespaces/default/jobs/job")["metadata"]["uid"]
    project.want("small", objects=[job("job:2")])

    step = project.planned()["object-0"]

    assert "spec.template.spec.containers[0].image" in step["replaceReasons"]
    assert project.up()["replace"] == 1
    after = cluster.get("/apis/batch/v1/namespaces/default/jobs/job")
    assert after["metadata"]["uid"] != before
    assert after["spec"]["template"]["spec"]["containers"][0]["image"] == "job:2"


def test_the_selector_of_a_deployment_replaces_it(project, cluster):
    def web(label: str) -> dict:
        labels = {"app": label}
        containers = [{"name": "web", "image": "web:1"}]
        template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
        return {
            "kind": "Deployment",
            "spec": {"selector": {"matchLabels": labels}, "template": template},
        }

    project.want("small", objects=[web("one")])
    project.up()
    project.want("small", objects=[web("two")])

    assert project.up()["replace"] == 1
    (left,) = cluster.items("/apis/apps/v1/namespaces/default/deployments")
    assert left["spec"]["selector"]["matchLabels"] == {"app": "two"}


def test_naming_the_default_namespace_is_no_change(project):
    project.want("small", objects=[{"kind": "ConfigMap", "metadata": {"name": "here"}}])
    project.up()
    inside = {"name": "here", "namespace": "default"}
    project.want("small", objects=[{"kind": "ConfigMap", "metadata": inside}])

    assert project.up() == {"same": 3}


def test_an_interrupted_creation_is_taken_up_again(project, cluster):
    project.want("small", objects=[{"kind": "ConfigMap", "metadata": {"name": "half"}}])
    project.up()
    # As if the engine had been killed before it could note what was made.
    (urn,) = [r["urn"] for r in project.state() if r["type"].endswith(":ConfigMap")]
    project.pulumi("state", "delete", "--yes", urn)

    assert project.up()["create"] == 1
    assert cluster.has("/api/v1/namespaces/default/configmaps/half")


def test_another_cluster_replaces_everything_and_other_credentials_nothing(project):
    objects = [{"kind": "ConfigMap"}]
    project.want("small", objects=objects)
    project.up()
    same = project.kubeconfig.replace("admin", "administrator")
    other = project.kubeconfig.replace("https://127.0.0.1", "https://localhost")

    project.want("small", {"kubeconfig": same}, objects=objects)
    assert steps(project) == ["update"]
    project.want("small", {"kubeconfig": other}, objects=objects)
    assert set(project.planned()) == {"cluster", "object-0"}
    assert set(steps(project)) == {"replace"}
    project.want("small", objects=objects)


def test_the_same_cluster_by_its_identifier_is_the_same_wherever_it_is(project):
    objects, name = [{"kind": "ConfigMap"}], {"cluster_identifier": "one"}
    project.want("small", name, objects=objects)
    project.up()
    other = project.kubeconfig.replace("https://127.0.0.1", "https://localhost")

    project.want("small", {"kubeconfig": other, **name}, objects=objects)

    assert {who: step["op"] for who, step in project.planned().items()} == {"cluster": "update"}
    project.want("small", name, objects=objects)
