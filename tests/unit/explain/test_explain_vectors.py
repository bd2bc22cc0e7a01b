"""Messages of other projects explained: on many lines, with comments, and from hands that are not ours."""

import os

import pytest

from tests.vectors.messages import Message, snapshot
from tests.vectors.test_messages import IDS, MESSAGES, WEAK
from wsprovider.explain.explaining import Explained, Judged, Received, Way, explain
from wsprovider.explain.report import Standing
from wsprovider.inbound.context import Context, Gate
from wsprovider.inbound.examine import examine
from wsprovider.inbound.finding import Circumstances, Freshness
from wsprovider.inbound.judge import judge
from wsprovider.soap.version import SOAP_11, SOAP_12
from wsprovider.words.errors import SoapError, WSSecurityError
from wsprovider.xml.canonical import Room
from wsprovider.xml.parse import parse

pytestmark = [
    pytest.mark.filterwarnings("ignore:Attribute's length must be"),
    pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning"),
]


def explained(message: Message, data: bytes) -> Explained:
    requirements = message.requirements()
    version = SOAP_12 if message.soap12 else SOAP_11
    circumstances = Circumstances(now=message.now(), freshness=Freshness(), secure=True)

    def context() -> Context:
        return Context(
            keys=snapshot(message, WEAK),
            now=message.now(),
            entropy=os.urandom,
            limits=WEAK,
            gate=Gate.of((requirements,)),
            established={},
            room=Room.of(data, WEAK.canonical_growth),
            signature_seen=lambda _: None,
            timestamp_seen=lambda _: None,
        )

    def judged() -> Judged:
        try:
            judge(examine(parse(data, WEAK), version, context()), (requirements,), circumstances)
        except (WSSecurityError, SoapError) as error:
            return Judged(error)
        return Judged(None, "Accepted.", 0)

    return explain(
        Received(data, version),
        judge=judged,
        context=context,
        circumstances=circumstances,
        ways=[Way("message", requirements)],
        facts=(),
        limits=WEAK,
    )


@pytest.mark.parametrize("message", MESSAGES, ids=IDS)
def test_the_explanation_fits_the_verdict_and_its_places_the_bytes(message):
    data = message.data()
    report = explained(message, data).report
    assert (None if report.trouble is None else report.trouble.reason) is message.expected
    failing = [item for item in report.items if item.standing is Standing.FAILS]
    if report.accepted:
        assert not failing
        assert not report.ways[0].missing
    lines = data.decode().split("\n")
    for spot in (item.spot for item in report.items):
        assert spot is not None
        assert spot.line is not None
        assert spot.column is not None
        name = spot.path.rpartition("/")[2].partition("[")[0]
        tag = lines[spot.line - 1][spot.column - 1 :].partition(">")[0]
        assert tag.startswith("<")
        assert spot.decrypted or name in tag
