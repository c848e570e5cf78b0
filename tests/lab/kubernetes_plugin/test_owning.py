"""Who owns which field: conflicts, patches, and objects that were there before."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.engine, pytest.mark.cluster]

MAP = "/api/v1/namespaces/default/configmaps/settings"
SETTINGS = {"kind": "ConfigMap", "metadata": {"name": "settings"}}
MUTABLE = {"enable_config_map_mutable": True}


def settings(data: dict[str, str], **annotations: str) -> dict:
    metadata = {"name": "settings", "annotations": annotations}
    return {**SETTINGS, "metadata": metadata, "data": data}


@pytest.fixture
def theirs(cluster):
    """A config map that somebody made by hand."""
    body = {"metadata": {"name": "settings"}, "data": {"a": "theirs", "b": "theirs"}}
    cluster.call("POST", "/api/v1/namespaces/default/configmaps?fieldManager=somebody", body)
    yield
    cluster.call("DELETE", MAP)


def test_a_conflict_names_the_field_and_its_owner(project, cluster):
    project.want("small", MUTABLE, objects=[settings({"a": "1"})])
    project.up()
    cluster.edit(MAP, {"data": {"a": "2"}})
    project.want("small", MUTABLE, objects=[settings({"a": "3"})])

    said = project.fails("up", "--yes", "--skip-preview")

    assert ".data.a" in said
    assert "kubectl-edit" in said
    assert cluster.get(MAP)["data"] == {"a": "2"}


def test_the_annotation_takes_the_field_over(project, cluster):
    project.want("small", MUTABLE, objects=[settings({"a": "1"})])
    project.up()
    cluster.edit(MAP, {"data": {"a": "2"}})
    wanted = settings({"a": "3"}, **{"pulumi.com/patchForce": "true"})
    project.want("small", MUTABLE, objects=[wanted])

    project.up()

    assert cluster.get(MAP)["data"] == {"a": "3"}


def test_fields_of_others_are_left_alone(project, cluster):
    project.want("small", MUTABLE, objects=[settings({"a": "1"})])
    project.up()
    cluster.edit(MAP, {"data": {"b": "theirs"}})
    project.want("small", MUTABLE, objects=[settings({"a": "2"})])

    assert project.refresh() == {"same": 3}
    project.up()

    assert cluster.get(MAP)["data"] == {"a": "2", "b": "theirs"}


@pytest.mark.usefixtures("theirs")
def test_an_object_of_others_is_not_taken(project, cluster):
    project.want("small", objects=[settings({"a": "ours"})])

    said = project.fails("up", "--yes", "--skip-preview")

    assert "already exists" in said
    assert cluster.get(MAP)["data"]["a"] == "theirs"


@pytest.mark.usefixtures("theirs")
def test_a_patch_owns_its_fields_only_and_gives_them_back(project, cluster):
    patch = {"kind": "ConfigMapPatch", "metadata": {"name": "settings"}, "data": {"c": "ours"}}
    project.want("small", objects=[patch])
    project.up()
    assert cluster.get(MAP)["data"] == {"a": "theirs", "b": "theirs", "c": "ours"}

    project.want("small", objects=[])
    project.up()

    assert cluster.get(MAP)["data"] == {"a": "theirs", "b": "theirs"}


@pytest.mark.usefixtures("theirs")
def test_a_patch_may_change_what_it_patches_in_place(project, cluster):
    patch = {"kind": "ConfigMapPatch", "metadata": {"name": "settings"}}
    project.want("small", objects=[{**patch, "data": {"c": "1"}}])
    project.up()
    project.want("small", objects=[{**patch, "data": {"d": "2"}}])

    assert project.up()["update"] == 1

    assert cluster.get(MAP)["data"] == {"a": "theirs", "b": "theirs", "d": "2"}


def test_ignored_fields_stay_as_others_set_them(project, cluster):
    ignored = {"ignore_changes": ["data.a"]}
    project.want("small", MUTABLE, objects=[settings({"a": "1", "b": "1"})], options=ignored)
    project.up()
    cluster.edit(MAP, {"data": {"a": "theirs"}})
    project.want("small", MUTABLE, objects=[settings({"a": "1", "b": "2"})], options=ignored)

    project.up()

    assert cluster.get(MAP)["data"] == {"a": "theirs", "b": "2"}


def test_upsert_takes_an_object_that_is_there(project, cluster):
    body = {"metadata": {"name": "settings"}, "data": {"b": "theirs"}}
    cluster.call("POST", "/api/v1/namespaces/default/configmaps?fieldManager=somebody", body)
    project.want("small", {"upsert_existing_objects": True}, objects=[settings({"a": "ours"})])

    project.up()

    assert cluster.get(MAP)["data"] == {"a": "ours", "b": "theirs"}
