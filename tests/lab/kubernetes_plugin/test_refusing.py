"""What is refused, and that all of it is told at once."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.engine, pytest.mark.cluster]


def test_every_fault_of_an_object_is_told_at_once(project):
    wrong = {
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": "two",
            "replicaas": 2,
            "template": {"spec": {"containers": [{"image": "web:1"}]}},
        },
    }
    project.want("small", objects=[wrong])

    said = project.fails("preview")

    assert "spec.replicaas: there is no such field" in said
    assert "spec.selector: must be given" in said
    assert "spec.replicas" in said
    assert "containers" in said


def test_an_unknown_setting_of_the_provider_is_refused_with_the_known_ones(project):
    project.want("odd")

    said = project.fails("preview")

    assert "kubekonfig" in said
    assert "kubeconfig" in said


def test_what_only_the_official_plugin_does_is_refused_loudly(project):
    project.want("small", {"render_yaml_to_directory": "rendered"}, objects=[])

    said = project.fails("preview")

    assert "STAND-IN" in said
    assert "renderYamlToDirectory" in said


def test_a_patch_needs_a_name(project):
    project.want("small", objects=[{"kind": "ConfigMapPatch", "data": {"a": "1"}}])

    assert "metadata.name" in project.fails("preview")


def test_a_generated_name_is_refused(project):
    wanted = {"kind": "ConfigMap", "metadata": {"generate_name": "some-"}}
    project.want("small", objects=[wanted])

    assert "metadata.generateName" in project.fails("preview")


def test_a_run_says_that_it_uses_a_stand_in_once(project):
    project.want("small", objects=[{"kind": "ConfigMap"}, {"kind": "ConfigMap"}])

    done = project.pulumi("up", "--yes", "--skip-preview")

    diagnostics = done.stdout.split("Diagnostics:")[1]
    assert diagnostics.count("STAND-IN: kubernetes resources") == 1
