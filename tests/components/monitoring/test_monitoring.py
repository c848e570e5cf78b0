"""What watches the platform, as the cluster is asked for it."""

from __future__ import annotations

import json
from ipaddress import IPv4Address
from typing import Any

import pulumi
import pytest
import yaml

from components.connector import METRICS_PORT
from components.connector import NAMESPACE as TUNNEL
from components.in_cluster import Inside
from components.monitoring import Monitoring, MonitoringArgs
from components.monitoring import scraping as asked
from components.monitoring.names import EXPORTERS, NAMESPACE
from components.monitoring_section import Images, Mail, Volume, Webhook
from components.monitoring_section import Monitoring as Section
from components.traffic import Traffic
from hosts import etcd, metrics, patroni
from tests.recording import Deployment, run

IMAGE = "any/image@sha256:" + "0" * 64
PASSWORD, TOKEN = "canary-password", "canary-token"
MAIL = Mail(server="mail.example:587", sender="a@b.example", recipients=("c@d.example",), user="u")
HOOK = Webhook(url="https://sms.example/alerts")
TIER = asked.DatabaseTier(
    machines={"db-node1": IPv4Address("192.0.2.1"), "db-node2": IPv4Address("192.0.2.2")},
    virtual_address=IPv4Address("192.0.2.9"),
)


def section(**more: Any) -> Section:
    images = Images(
        prometheus=IMAGE,
        alertmanager=IMAGE,
        kube_state_metrics=IMAGE,
        node_exporter=IMAGE,
        grafana=IMAGE,
    )
    disk = Volume(storage_class="any", gib=20)
    told = {"images": images, "mail": MAIL, "webhook": HOOK, "volume": disk}
    return Section(dashboard_path="/i", retention_days=30, **{**told, **more})


def deployed(
    wanted: Section | None = None, tier: asked.DatabaseTier | None = TIER, authority: str = "CA"
) -> Deployment:
    section_of = wanted or section()
    assert section_of.images

    def program() -> None:
        inside = Inside(
            provider=pulumi.ProviderResource("kubernetes", "k", {}),
            cluster=pulumi.CustomResource("test:index:Cluster", "nodes", {}),
            kubeconfig=pulumi.Output.secret("a-kubeconfig"),
            traffic=Traffic(edges=()),
        )
        args = MonitoringArgs(
            wanted=section_of,
            images=section_of.images,
            replicas=2,
            tier=tier,
            authority=authority if tier else None,
            mail_password=pulumi.Output.secret(PASSWORD),
            webhook_token=pulumi.Output.secret(TOKEN),
        )
        Monitoring("m", args, inside)

    return run(program)


@pytest.fixture(scope="module")
def made() -> Deployment:
    return deployed()


def objects(made: Deployment, kind: str) -> dict[str, dict[str, Any]]:
    """Return the objects of a kind by their own name."""
    found = [r for r in made.resources if r.type.endswith(f":{kind}")]
    return {r.inputs["metadata"]["name"]: dict(r.inputs) for r in found}


def pods(made: Deployment) -> dict[str, dict[str, Any]]:
    """Return the template of each program's pods."""
    kinds = ("Deployment", "StatefulSet", "DaemonSet")
    return {
        name: body["spec"]["template"]
        for kind in kinds
        for name, body in objects(made, kind).items()
    }


def settings(made: Deployment, program: str, file: str) -> dict[str, Any]:
    return dict(yaml.safe_load(objects(made, "ConfigMap")[program]["data"][file]))


def jobs(made: Deployment) -> dict[str, dict[str, Any]]:
    told = settings(made, "prometheus", "prometheus.yml")["scrape_configs"]
    return {job["job_name"]: job for job in told}


def test_a_pod_asks_for_nothing_that_it_does_not_need(made):
    found = pods(made)

    assert found.keys() == {
        "alertmanager", "grafana", "kube-state-metrics", "node-exporter", "prometheus",
    }  # fmt: skip
    for name, template in found.items():
        pod = template["spec"]
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["resources"]["limits"].keys() == {"cpu", "memory"}
        assert container["image"] == IMAGE
        assert {"readinessProbe", "livenessProbe", "startupProbe"} <= container.keys()
        assert not {"hostNetwork", "hostPID"} & pod.keys()
        asks = name in {"prometheus", "kube-state-metrics"}
        assert pod["automountServiceAccountToken"] is asks


def test_only_the_node_exporters_may_see_a_node_and_they_only_read(made):
    levels = {
        name: body["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for name, body in objects(made, "Namespace").items()
    }
    see = {
        name
        for name, template in pods(made).items()
        if any("hostPath" in volume for volume in template["spec"]["volumes"])
    }
    (container,) = pods(made)["node-exporter"]["spec"]["containers"]

    assert levels == {NAMESPACE: "restricted", EXPORTERS: "privileged"}
    assert see == {"node-exporter"}
    assert objects(made, "DaemonSet")["node-exporter"]["metadata"]["namespace"] == EXPORTERS
    assert all(mount["readOnly"] for mount in container["volumeMounts"])


def test_secrets_are_files_of_a_secret_and_nowhere_else(made):
    (secret,) = [r for r in made.resources if r.name == "m-alertmanager-secret"]
    told = settings(made, "alertmanager", "alertmanager.yml")
    loud = next(r for r in told["receivers"] if r["name"] == "loud")
    (mail,), (hook,) = loud["email_configs"], loud["webhook_configs"]

    assert secret.secrets == {"data.mail-password", "data.webhook-token"}
    assert mail["auth_password_file"] == "/run/secrets/alertmanager/mail-password"
    assert hook["http_config"]["authorization"] == {
        "credentials_file": "/run/secrets/alertmanager/webhook-token"
    }
    for other in made.resources:
        assert PASSWORD not in str(other.inputs)
        assert TOKEN not in str(other.inputs)


def test_no_role_lets_anybody_read_a_secret_or_change_anything(made):
    rules = [
        rule
        for kind in ("Role", "ClusterRole")
        for body in objects(made, kind).values()
        for rule in body["rules"]
    ]

    assert len(rules) > 8
    for rule in rules:
        assert set(rule["verbs"]) <= {"get", "list", "watch"}
        assert not {"secrets", "configmaps", "*"} & set(rule.get("resources", []))


def test_what_is_critical_is_told_both_ways_and_the_rest_by_mail(made):
    told = settings(made, "alertmanager", "alertmanager.yml")
    ways = {r["name"]: set(r) - {"name"} for r in told["receivers"]}

    assert told["route"]["receiver"] == "quiet"
    (critical,) = told["route"]["routes"]
    assert (critical["matchers"], critical["receiver"]) == (['severity="critical"'], "loud")
    assert ways == {"quiet": {"email_configs"}, "loud": {"email_configs", "webhook_configs"}}


@pytest.mark.parametrize(
    ("only", "way"), [("mail", "email_configs"), ("webhook", "webhook_configs")]
)
def test_where_there_is_one_way_it_is_told_everything(only, way):
    others = {"mail": None, "webhook": None}
    others.pop(only)
    told = settings(deployed(section(**others)), "alertmanager", "alertmanager.yml")

    assert [set(r) - {"name"} for r in told["receivers"]] == [{way}, {way}]


def test_two_of_those_who_must_not_be_lost_are_never_on_one_node(made):
    for name in ("prometheus", "alertmanager"):
        body = objects(made, "StatefulSet")[name]["spec"]
        apart = body["template"]["spec"]["affinity"]["podAntiAffinity"]
        (rule,) = apart["requiredDuringSchedulingIgnoredDuringExecution"]
        assert body["replicas"] == 2
        assert rule["topologyKey"] == "kubernetes.io/hostname"
        assert rule["labelSelector"]["matchLabels"] == body["selector"]["matchLabels"]


def test_both_alertmanagers_know_each_other(made):
    (container,) = pods(made)["alertmanager"]["spec"]["containers"]
    service = objects(made, "Service")["alertmanager"]["spec"]

    peers = [arg for arg in container["args"] if arg.startswith("--cluster.peer=")]
    assert peers == [f"--cluster.peer=alertmanager-{n}.alertmanager:9094" for n in (0, 1)]
    assert (service["clusterIP"], service["publishNotReadyAddresses"]) == ("None", True)


def test_figures_are_kept_as_long_as_the_stack_says_on_a_disk_if_there_is_one(made):
    without = deployed(section(volume=None))
    args = pods(made)["prometheus"]["spec"]["containers"][0]["args"]
    (claim,) = objects(made, "StatefulSet")["prometheus"]["spec"]["volumeClaimTemplates"]
    spec = objects(without, "StatefulSet")["prometheus"]["spec"]

    assert "--storage.tsdb.retention.time=30d" in args
    assert "--storage.tsdb.retention.size=16000MB" in args
    assert claim["spec"]["resources"]["requests"] == {"storage": "20Gi"}
    assert "volumeClaimTemplates" not in spec
    assert any(
        volume["name"] == "data" and "emptyDir" in volume
        for volume in spec["template"]["spec"]["volumes"]
    )


def test_every_database_machine_is_asked_where_it_tells(made):
    ports = {
        "node": metrics.PORTS[metrics.NODE],
        "postgres": metrics.PORTS[metrics.POSTGRES],
        "patroni": patroni.API_PORT,
        "etcd": etcd.METRICS_PORT,
    }

    for job, port in ports.items():
        targets = {
            one["labels"]["machine"]: one["targets"] for one in jobs(made)[job]["static_configs"]
        }
        assert targets == {
            "db-node1": [f"192.0.2.1:{port}"],
            "db-node2": [f"192.0.2.2:{port}"],
        }
        assert all(
            one["labels"]["virtual_address"] == "192.0.2.9"
            for one in jobs(made)[job]["static_configs"]
        )
        encrypted = jobs(made)[job].get("tls_config") == {"ca_file": asked.DATABASE_AUTHORITY}
        assert encrypted is (job != "etcd")
    assert objects(made, "ConfigMap")["prometheus"]["data"]["database.pem"] == "CA"


def test_a_stack_without_a_database_has_neither_its_jobs_nor_its_rules():
    made = deployed(tier=None)

    assert not {"node", "postgres", "patroni", "etcd"} & jobs(made).keys()
    assert "database.yaml" not in objects(made, "ConfigMap")["prometheus-rules"]["data"]
    assert "way_in.yaml" in objects(made, "ConfigMap")["prometheus-rules"]["data"]


def test_connectors_are_asked_in_their_namespace_by_the_name_of_their_port(made):
    job = jobs(made)["cloudflared"]

    assert job["kubernetes_sd_configs"][0]["namespaces"]["names"] == [TUNNEL]
    assert any(rule.get("regex") == "metrics" for rule in job["relabel_configs"])
    assert METRICS_PORT == 2000
    assert objects(made, "Role")["prometheus"]["rules"][0]["resources"] == ["pods"]


def test_a_program_starts_anew_with_other_settings_and_not_without():
    def marks(**more: Any) -> dict[str, str]:
        found = pods(deployed(**more))
        return {
            name: template["metadata"]["annotations"]["coldstorage/told"]
            for name, template in found.items()
            if "annotations" in template["metadata"]
        }

    first, again = marks(), marks()
    quiet, other = marks(wanted=section(webhook=None)), marks(authority="another CA")

    assert first == again
    assert {name for name in first if first[name] != quiet[name]} == {"alertmanager"}
    assert {name for name in first if first[name] != other[name]} == {"prometheus"}


def test_dashboards_are_provisioned_as_json_that_says_where_figures_come_from(made):
    drawn = objects(made, "ConfigMap")["grafana-dashboards"]["data"]
    source = yaml.safe_load(objects(made, "ConfigMap")["grafana-source"]["data"]["prometheus.yaml"])

    assert drawn.keys() == {"cluster.json", "database.json", "machines.json", "way-in.json"}
    (declared,) = source["datasources"]
    for text in drawn.values():
        document = json.loads(text)
        assert document["panels"]
        for panel in document["panels"]:
            assert panel["datasource"]["uid"] == declared["uid"]
            assert all(target["expr"] for target in panel["targets"])
        places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in document["panels"]]
        assert len(set(places)) == len(places)


def test_without_grafana_there_are_no_pictures_and_the_rest_is_there():
    images = section().images
    assert images
    made = deployed(section(images=images.model_copy(update={"grafana": None})))

    assert pods(made).keys() == {
        "alertmanager", "kube-state-metrics", "node-exporter", "prometheus",
    }  # fmt: skip
    assert not [r for r in made.resources if "grafana" in r.name]
