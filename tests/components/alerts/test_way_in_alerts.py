"""Each alert of the way in fires when it should and is silent when all is well."""

from __future__ import annotations

from components.connector import LABELS, NAMESPACE
from components.edge_probe import CONNECTIONS_EACH
from components.edge_probe import LABELS as OF_THE_PROBE
from components.settings import PROJECT

from .rules import Series, alerts_in

RULES = PROJECT / "components" / "alerts" / "way_in.yaml"
ALERTS = alerts_in(RULES)


def deployed(available: int, wanted: int = 3) -> Series:
    """Return what is known of the connectors' deployment."""
    which = '{namespace="tunnel",deployment="cloudflared"}'
    return {
        f"kube_deployment_status_replicas_available{which}": f"{available}x200",
        f"kube_deployment_spec_replicas{which}": f"{wanted}x200",
    }


def requests(failed: float) -> Series:
    """Return a connector with 100 requests a step, of which some got no answer."""
    return {
        'cloudflared_tunnel_total_requests{pod="a"}': "0+100x200",
        'cloudflared_tunnel_request_errors{pod="a"}': f"0+{failed}x200",
    }


def probed(each_step: float) -> Series:
    """Return when the probe last succeeded; a step is 15 s."""
    name = "kube_cronjob_status_last_successful_time"
    return {f'{name}{{namespace="tunnel",cronjob="edge-probe"}}': f"0+{each_step}x200"}


CASES = {
    "RequestsDoNotComeThrough": (probed(0), probed(15)),
    "ConnectorsMissing": (deployed(2), deployed(3)),
    "ConnectorHalfConnected": (
        {'cloudflared_tunnel_ha_connections{pod="a"}': "2x200"},
        {'cloudflared_tunnel_ha_connections{pod="a"}': "4x200"},
    ),
    "ConnectorCannotReachApplication": (requests(5), requests(1)),
}


def test_alerts_speak_of_what_the_program_makes():
    text = RULES.read_text()

    assert f'namespace="{NAMESPACE}"' in text
    assert f'deployment="{LABELS["app.kubernetes.io/name"]}"' in text
    assert f'cronjob="{OF_THE_PROBE["app.kubernetes.io/name"]}"' in text
    assert f"ha_connections < {CONNECTIONS_EACH}" in text
