"""UsernameTokens: K01 to K13."""

import re

import pytest

from tests.attacks.rows import (
    UT,
    R,
    Row,
    _unsigned,
    _with_token,
    _without_token,
    changed,
    check,
    raw,
)
from tests.simulator.bend import (
    attribute,
    bend,
    flip,
    insert,
    remove,
    resign,
    secret_of,
    text,
)
from tests.simulator.world import PLAIN
from wsprovider.words import namespaces as ns
from wsprovider.words import uris

PASSWORD = f"{UT}/wsse:Password"

TOKENS = [
    changed("K01 no password", "1", R.PASSWORD_MISSING, remove(PASSWORD)),
    Row("K01 no password", "8", (R.DIGEST_MISMATCH,), lambda w, p: _with_token(p, lambda t: re.sub(b"<wsse:Password.*</wsse:Password>", b"", t))),
    changed("K02 empty password", "1", R.PASSWORD_MISSING, text(PASSWORD, "")),
    changed("K02 blank password", "1", R.PASSWORD_WRONG, text(PASSWORD, " ")),
    changed("K02 empty user", "1", R.USERNAME_TOKEN, text(f"{UT}/wsse:Username", "")),
    changed("K02 blank user", "1", R.USERNAME_TOKEN, text(f"{UT}/wsse:Username", " \n")),
    changed("K02 no user", "1", R.USERNAME_TOKEN, remove(f"{UT}/wsse:Username")),
    changed("K03 no type", "1", R.PASSWORD_TYPE, attribute(PASSWORD, "Type", None)),
    changed("K03 unknown type", "1", R.PASSWORD_TYPE, attribute(PASSWORD, "Type", "urn:x")),
    changed("K03 namespaced type", "1", R.MALFORMED_HEADER_CHILD, attribute(PASSWORD, f"{{{ns.WSSE}}}Type", uris.PASSWORD_TEXT)),
    changed("K03 text as digest", "1", R.NONCE, attribute(PASSWORD, "Type", uris.PASSWORD_DIGEST)),
    changed("K03 digest as text", "1", R.PASSWORD_WRONG, attribute(PASSWORD, "Type", uris.PASSWORD_TEXT), digest=True),
    Row("K04 over HTTP", "1", (R.TRANSPORT,), lambda w, p: p.data, accept={"transport": PLAIN}),
    changed("K05 no nonce", "1", R.NONCE, remove(f"{UT}/wsse:Nonce"), digest=True),
    changed("K05 empty nonce", "1", R.NONCE, text(f"{UT}/wsse:Nonce", ""), digest=True),
    changed("K05 short nonce", "1", R.NONCE, text(f"{UT}/wsse:Nonce", "AA=="), digest=True),
    changed("K05 long nonce", "1", R.NONCE, text(f"{UT}/wsse:Nonce", "AAAA" * 22), digest=True),
    changed("K05 huge nonce", "1", R.FIELD_TOO_LONG, text(f"{UT}/wsse:Nonce", "AAAA" * 9000), digest=True),
    changed("K05 no base64", "1", R.MALFORMED_BASE64, text(f"{UT}/wsse:Nonce", "!" * 24), digest=True),
    changed("K05 encoding", "1", R.NONCE, attribute(f"{UT}/wsse:Nonce", "EncodingType", "urn:hex"), digest=True),
    changed("K05 other nonce", "1", R.PASSWORD_WRONG, flip(f"{UT}/wsse:Nonce"), digest=True),
    changed("K06 no Created", "1", R.USERNAME_TOKEN, remove(f"{UT}/wsu:Created"), digest=True),
    changed("K06 old", "1", R.TIMESTAMP_EXPIRED, text(f"{UT}/wsu:Created", "2026-06-01T11:53:59Z"), digest=True),
    changed("K06 of the future", "1", R.TIMESTAMP_FUTURE, text(f"{UT}/wsu:Created", "2026-06-01T12:01:01Z"), digest=True),
    changed("K06 no time", "1", R.TIMESTAMP_MALFORMED, text(f"{UT}/wsu:Created", "now"), digest=True),
    changed("K06 other moment", "1", R.PASSWORD_WRONG, text(f"{UT}/wsu:Created", "2026-06-01T12:00:01Z"), digest=True),
    *(raw(f"K08 {name} in the name", "1", reason, lambda data, put=put: data.replace(b">alice<", b">" + put + b"<")) for name, reason, put in (
        ("child", R.MALFORMED_HEADER_CHILD, b"alice<x/>"), ("instruction", R.PROCESSING_INSTRUCTION, b"alice<?x?>"),
        ("space", R.USER_UNKNOWN, b"alice "), ("capital", R.USER_UNKNOWN, b"Alice"), ("full width", R.USER_UNKNOWN, "ａlice".encode()),  # noqa: RUF001
        ("comment", R.USER_UNKNOWN, b"alice<!-- -->.evil"), ("length", R.FIELD_TOO_LONG, b"a" * 20_000),
    )),
    changed("K09 unknown user", "1", R.USER_UNKNOWN, text(f"{UT}/wsse:Username", "mallory")),
    changed("K09 wrong password", "1", R.PASSWORD_WRONG, text(PASSWORD, "wrong")),
    changed("K11 derived key", "1", R.MALFORMED_HEADER_CHILD, insert(UT, "<wsse11:Salt>AAAA</wsse11:Salt>")),
    changed("K11 iterations", "1", R.MALFORMED_HEADER_CHILD, insert(UT, "<wsse11:Iteration>1</wsse11:Iteration>")),
    Row("K12 token swapped", "8", (R.DIGEST_MISMATCH,), lambda w, p: _with_token(p, lambda t: t.replace(b"alice", b"bob").replace(b"secret", b"geheim"))),
    Row("K12 token not signed", "8", (R.TOKEN_NOT_SIGNED,), lambda w, p: bend(p.data, _unsigned("UT"), resign(secret=secret_of(p)))),
    changed("K13 long password", "1", R.PASSWORD_TOO_LONG, text(PASSWORD, "x" * 513)),
    changed("K13 longer password", "1", R.FIELD_TOO_LONG, text(PASSWORD, "x" * 20_000)),
    Row("D01 no token", "8", (R.TOKEN_MISSING,), lambda w, p: _without_token(p)),
    changed("D01 no token", "1", R.TOKEN_MISSING, remove(UT)),
]  # fmt: skip


@pytest.mark.parametrize("row", TOKENS, ids=str)
def test_is_refused(row):
    check(row)
