"""Charts: rendered by Helm's own library, every object a resource of its own."""

from __future__ import annotations

import json
import tarfile

import pytest

pytestmark = [pytest.mark.engine, pytest.mark.cluster]

SHOP = "/apis/apps/v1/namespaces/default/deployments/shop"
CHILDREN = {
    "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition::shop:widgets.example.org",
    "kubernetes:apps/v1:Deployment::shop:default/shop",
    "kubernetes:core/v1:ConfigMap::shop:default/shop-kept",
    "kubernetes:example.org/v1:Widget::shop:default/shop",
}


@pytest.fixture
def project(project, cluster):
    """A project whose cluster forgets what the chart keeps."""
    yield project
    cluster.call("DELETE", "/api/v1/namespaces/default/configmaps/shop-kept")


def children(project) -> set[str]:
    return {
        "::".join(resource["urn"].rsplit("::", 2)[1:]).rsplit("$", 1)[1]
        for resource in project.state()
        if "$" in resource["urn"]
    }


def test_every_object_is_a_child_of_the_chart_and_hooks_are_left_out(project, cluster):
    project.want("charts", chart="./chart", values={"replicas": 2})

    done = project.pulumi("up", "--yes", "--skip-preview")

    assert children(project) == CHILDREN
    assert cluster.get(SHOP)["status"]["readyReplicas"] == 2
    assert "shop-before" in done.stdout + done.stderr
    assert "shop-test" not in done.stdout + done.stderr
    assert project.up() == {"same": len(CHILDREN) + 3}


def test_an_archive_is_a_chart_too(project, cluster, tmp_path):
    archive = tmp_path / "shop-1.2.3.tgz"
    with tarfile.open(archive, "w:gz") as made:
        made.add(project.folder / "chart", arcname="shop")
    project.want("charts", chart=str(archive), skip_await=True, resource_prefix="other")

    project.up()

    assert {child.replace("::other:", "::shop:") for child in children(project)} == CHILDREN
    assert cluster.get(SHOP)["spec"]["replicas"] == 3


def test_a_changed_value_changes_one_child(project, cluster):
    project.want("charts", chart="./chart", values={"replicas": 1})
    project.up()
    project.want("charts", chart="./chart", values={"replicas": 2})

    assert set(project.planned()) == {"shop:default/shop"}
    project.up()

    assert cluster.get(SHOP)["spec"]["replicas"] == 2


def test_a_secret_value_is_secret_wherever_the_template_puts_it(project, cluster):
    project.want("charts", chart="./chart", secret="a word of the chart")
    project.up()

    assert "a word of the chart" not in json.dumps(project.state())
    container = cluster.get(SHOP)["spec"]["template"]["spec"]["containers"][0]
    assert container["env"] == [{"name": "GREETING", "value": "a word of the chart"}]


def test_an_input_that_there_is_not_is_refused(project):
    project.want("charts", chart="./chart")
    project.up()
    project.want("charts", chart="./none")

    assert "./none" in project.fails("preview")
    project.want("charts", chart="./chart")
