"""WS-Addressing: O01 to O05."""

import pytest

from tests.attacks.rows import (
    R,
    beside,
    changed,
    check,
)
from tests.simulator.world import ECHO
from wsprovider.words import namespaces as ns
from wsprovider.words import uris

ADDRESSED = f"<wsa:Action>{ECHO}/echo</wsa:Action>"

ADDRESSING = [
    *(changed(f"O01 {name}", "3", R.ADDRESSING_REPLY_TO, beside(f"<wsa:{name}><wsa:Address>http://127.0.0.1:1/</wsa:Address></wsa:{name}>")) for name in ("ReplyTo", "FaultTo")),
    changed("O01 file", "3", R.ADDRESSING_REPLY_TO, beside("<wsa:ReplyTo><wsa:Address>file:///etc/passwd</wsa:Address></wsa:ReplyTo>")),
    changed("O01 no address", "3", R.ADDRESSING_HEADER, beside("<wsa:ReplyTo/>")),
    changed("O01 two addresses", "3", R.ADDRESSING_HEADER, beside(f"<wsa:ReplyTo>{f'<wsa:Address>{uris.WSA_200508_ANONYMOUS}</wsa:Address>' * 2}</wsa:ReplyTo>")),
    changed("O02 another path", "3", R.ADDRESSING_TO, beside("<wsa:To>http://localhost/other</wsa:To>")),
    changed("O02 another host", "3", R.ADDRESSING_TO, beside("<wsa:To>http://evil.example/echo</wsa:To>"), addresses=("http://good.example/echo",)),
    changed("O02 no URL", "3", R.ADDRESSING_TO, beside("<wsa:To>http://[x/echo</wsa:To>")),
    changed("O04 long MessageID", "3", R.ADDRESSING_HEADER, beside(f"<wsa:MessageID>{'x' * 3000}</wsa:MessageID>")),
    changed("O04 line break in MessageID", "3", R.ADDRESSING_HEADER, beside("<wsa:MessageID>urn:a&#10;b</wsa:MessageID>")),
    changed("O04 empty MessageID", "3", R.ADDRESSING_HEADER, beside("<wsa:MessageID/>")),
    changed("O04 child in MessageID", "3", R.ADDRESSING_HEADER, beside("<wsa:MessageID>a<e:b/></wsa:MessageID>")),
    *(changed(f"O05 two {name}", "3", R.ADDRESSING_HEADER, beside(f"<wsa:{name}>{value}</wsa:{name}>"), beside(f"<wsa:{name}>{value}</wsa:{name}>")) for name, value in {
        "To": "http://localhost/echo", "Action": f"{ECHO}/echo", "MessageID": "urn:a", "ReplyTo": f"<wsa:Address>{uris.WSA_200508_ANONYMOUS}</wsa:Address>",
    }.items()),
    changed("O05 two versions", "3", R.ADDRESSING_HEADER, beside(ADDRESSED), beside(f'<a:Action xmlns:a="{ns.WSA_200408}">{ECHO}/echo</a:Action>')),
]  # fmt: skip


@pytest.mark.parametrize("row", ADDRESSING, ids=str)
def test_is_refused(row):
    check(row)
