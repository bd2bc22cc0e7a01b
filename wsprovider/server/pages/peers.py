"""What a client of others needs for one endpoint, or why it cannot call it: facts of ``docs/peers``, by requirement.

A policy of several alternatives is told for the first one that the client can do.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from wsprovider.policy.requirements import Requirements
from wsprovider.server.pages import java_peers, other_peers
from wsprovider.server.pages.facts import Facts
from wsprovider.server.pages.snippets import Snippet


@dataclass(frozen=True, slots=True)
class Peer:
    """One client.

    Attributes:
        why_not: a sentence, where it cannot call the endpoint.
        notes: what to look out for.
    """

    name: str
    why_not: str | None
    notes: tuple[str, ...] = ()
    snippets: tuple[Snippet, ...] = ()


Configure = Callable[[Facts, Requirements], tuple[Iterator[str], Iterator[Snippet]]]
WhyNot = Callable[[Requirements], str | None]


def peers(facts: Facts) -> tuple[Peer, ...]:
    """Every client that is known, in the order of the handbook."""
    return tuple(_peer(facts, *row) for row in _PEERS)


def _peer(facts: Facts, name: str, why_not: WhyNot, configure: Configure) -> Peer:
    reasons = [why_not(way) for way in facts.ways]
    if None not in reasons:
        return Peer(name, reasons[0])
    notes, texts = configure(facts, facts.ways[reasons.index(None)])
    return Peer(name, None, tuple(notes), tuple(texts))


_PEERS: Final[tuple[tuple[str, WhyNot, Configure], ...]] = (
    ("Apache CXF", java_peers.cxf_cannot, java_peers.cxf),
    ("Apache Rampart, WSO2", java_peers.rampart_cannot, java_peers.rampart),
    ("Eclipse Metro", java_peers.metro_cannot, java_peers.metro),
    ("WSS4J", java_peers.wss4j_cannot, java_peers.wss4j),
    ("zeep (Python)", other_peers.zeep_cannot, other_peers.zeep),
    ("node-soap", other_peers.node_soap_cannot, other_peers.node_soap),
    ("gSOAP", other_peers.gsoap_cannot, other_peers.gsoap),
)
