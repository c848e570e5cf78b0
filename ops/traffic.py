"""Draw who talks to whom as a page, from the map that policies are made of: `make generated`."""

from __future__ import annotations

from collections.abc import Iterator

from components.traffic import Edge, Outside, Party, Pods, Traffic
from components.traffic_of_stack import traffic_of
from ops.stack_files import settings_of

PLACE = "docs/traffic.md"
INTRODUCTION = """\
# Who talks to whom

Written by `make generated` from the map in `components/traffic_of_stack.py`, of which the network
policies are made too: what is not here is refused. The addresses are testing's. Why it is so:
[0015](decisions/0015-who-talks-to-whom.md).
"""


def page(traffic: Traffic) -> str:
    """Return the page: the picture, every edge with its reason, and who is at which address."""
    return (
        "\n".join([INTRODUCTION, *_picture(traffic), "", *_edges(traffic), "", *_places(traffic)])
        + "\n"
    )


def _picture(traffic: Traffic) -> Iterator[str]:
    yield "```mermaid"
    yield "flowchart LR"
    for namespace in dict.fromkeys(pods.namespace for pods in traffic.pods()):
        yield f'  subgraph {namespace}["namespace {namespace}"]'
        yield from (f"    {pods.name}" for pods in traffic.pods(namespace))
        yield "  end"
    yield from (f"  {party.name}([{party.name}])" for party in _outside(traffic))
    for edge in traffic.edges:
        yield f'  {edge.source.name} -->|"{_ports(edge)}"| {edge.target.name}'
    yield "```"


def _edges(traffic: Traffic) -> Iterator[str]:
    yield "| from | to | ports | why |"
    yield "| --- | --- | --- | --- |"
    for edge in traffic.edges:
        yield f"| {_called(edge.source)} | {_called(edge.target)} | {_ports(edge)} | {edge.why} |"


def _places(traffic: Traffic) -> Iterator[str]:
    yield "| outside | addresses | but |"
    yield "| --- | --- | --- |"
    for party in _outside(traffic):
        networks, but = (", ".join(map(str, some)) for some in (party.networks, party.but))
        yield f"| {party.name} | {networks} | {but} |"


def _outside(traffic: Traffic) -> Iterator[Outside]:
    return (party for party in traffic.parties if isinstance(party, Outside))


def _called(party: Party) -> str:
    return f"{party.namespace}/{party.name}" if isinstance(party, Pods) else party.name


def _ports(edge: Edge) -> str:
    both = set(edge.tcp) & set(edge.udp)
    told = [f"{port}/tcp+udp" if port in both else str(port) for port in edge.tcp]
    return ", ".join([*told, *(f"{port}/udp" for port in edge.udp if port not in both)])


def main() -> None:
    """Draw testing; production has the same shape."""
    print(page(traffic_of(settings_of("testing"))), end="")


if __name__ == "__main__":
    main()
