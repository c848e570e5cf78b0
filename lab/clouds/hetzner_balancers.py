"""Load balancers, where they listen and what they send to."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from .cloud import Cloud, Kind, named
from .hetzner_networks import network_of, private_address, public_address
from .hetzner_servers import check_location
from .records import Record, Refused, Values

BALANCER = {"loadBalancerId": "LoadBalancer"}
_TERM = re.compile(r"(!?)([\w./-]+)(?:(==|=|!=)([\w.-]*))?")


def matches(selector: str, labels: Mapping[str, str]) -> bool:
    """Tell whether labels are what a selector such as ``stack=a,role!=b,!old`` asks for."""
    for term in selector.split(","):
        found = _TERM.fullmatch(term.strip())
        if not found:
            raise Refused(422, "invalid_input", f"label_selector: not understood: {term}")
        absent, key, operator, value = found.groups()
        has = key in labels if not operator else labels.get(key) == value
        if has == (bool(absent) or operator == "!="):
            return False
    return True


def _balancer(cloud: Cloud, id_: str, inputs: Values, before: Record | None) -> Values:
    constant = {
        "algorithm": inputs.get("algorithm", {"type": "round_robin"}),
        "labels": inputs.get("labels", {}),
    }
    if before:
        return constant
    return constant | {
        "ipv4": public_address(cloud),
        "ipv6": f"2001:db8:1b::{int(id_):x}",
        "location": inputs.get("location", "fsn1"),
        "networkZone": inputs.get("networkZone", "eu-central"),
    }


def _check_balancer(_cloud: Cloud, inputs: Values, _before: Record | None) -> None:
    check_location(inputs)
    if not re.fullmatch(r"lb[1-3]1", inputs["loadBalancerType"]):
        said = f"load_balancer_type: unknown: {inputs['loadBalancerType']}"
        raise Refused(422, "invalid_input", said)


def _network(cloud: Cloud, _id: str, inputs: Values, before: Record | None) -> Values:
    network, subnet = network_of(cloud, inputs)
    kept = before.outputs["ip"] if before else None
    return {
        "networkId": int(network.id),
        "ip": kept or private_address(cloud, network, subnet, inputs.get("ip")),
        "enablePublicInterface": inputs.get("enablePublicInterface", True),
    }


def _listens(inputs: Values) -> int:
    port: int = inputs.get("listenPort", 443 if inputs["protocol"] == "https" else 80)
    return port


def _service(_cloud: Cloud, _id: str, inputs: Values, _before: Record | None) -> Values:
    destination = inputs.get("destinationPort", _listens(inputs))
    default = {"protocol": "tcp", "port": destination, "interval": 15, "timeout": 10, "retries": 3}
    return {
        "listenPort": _listens(inputs),
        "destinationPort": destination,
        "proxyprotocol": inputs.get("proxyprotocol", False),
        "healthCheck": inputs.get("healthCheck", default),
        "http": inputs.get("http", {}),
    }


def _check_service(_cloud: Cloud, inputs: Values, _before: Record | None) -> None:
    if inputs["protocol"] == "tcp" and "listenPort" not in inputs:
        raise Refused(422, "invalid_input", "listen_port: tcp needs one")


def _check_target(cloud: Cloud, inputs: Values, _before: Record | None) -> None:
    matches(inputs.get("labelSelector", "any"), {})
    joined = [
        network
        for network in cloud.records.of("LoadBalancerNetwork")
        if network.inputs["loadBalancerId"] == inputs["loadBalancerId"]
    ]
    if inputs.get("usePrivateIp") and not joined:
        raise Refused(
            422, "invalid_input", "use_private_ip: load balancer is not attached to a network"
        )


def _target_id(_cloud: Cloud, inputs: Values) -> str:
    what = inputs.get("labelSelector") or inputs.get("serverId") or inputs.get("ip")
    digest = hashlib.sha256(str(what).encode()).hexdigest()[:16]
    return f"lb-{inputs['type'].replace('_', '-')}-tgt-{digest}-{inputs['loadBalancerId']}"


BALANCERS: Mapping[str, Kind] = {
    "LoadBalancer": Kind(
        computed=_balancer,
        check=_check_balancer,
        unique=named("load balancer"),
    ),
    "LoadBalancerNetwork": Kind(
        identity=lambda cloud, inputs: (
            f"{inputs['loadBalancerId']}-{network_of(cloud, inputs)[0].id}"
        ),
        computed=_network,
        parents=BALANCER,
    ),
    "LoadBalancerService": Kind(
        identity=lambda _cloud, inputs: f"{inputs['loadBalancerId']}__{_listens(inputs)}",
        computed=_service,
        check=_check_service,
        parents=BALANCER,
    ),
    "LoadBalancerTarget": Kind(
        identity=_target_id,
        computed=lambda _cloud, _id, inputs, _before: {
            "usePrivateIp": inputs.get("usePrivateIp", False)
        },
        check=_check_target,
        parents=BALANCER,
    ),
}
