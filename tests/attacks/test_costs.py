"""Worst cases cost a bounded multiple of an accepted message of their size.

Measured in processor time against generous bounds: what these inputs once cost in other stacks was
tens of seconds to minutes (H07: 37 s for 52 KB).
"""

import contextlib
import time

import pytest

from tests.simulator.bend import (
    BODY,
    HEADER,
    SECURITY,
    SIGNATURE,
    bend,
    element,
    insert,
    one,
    reencrypt,
    resign,
    secret_of,
    sign_also,
)
from tests.simulator.world import World
from wsprovider.words import algorithms as alg
from wsprovider.words import uris
from wsprovider.words.errors import SoapError, WSSecurityError

GENEROUS = 4.0
"""Seconds; what is tested stays below a tenth of it."""


def cost(world: World, message: bytes) -> float:
    before = time.process_time()
    with contextlib.suppress(WSSecurityError, SoapError):
        world.accept(message)
    return time.process_time() - before


def _inclusive(world: World, declarations: int, elements: int, prefixes: int) -> bytes:
    pending = world.request()
    declared = " ".join(f'xmlns:p{i}="urn:{i}"' for i in range(declarations))
    listed = " ".join(f"p{declarations - 1 - i}" for i in range(prefixes))
    raw = pending.data.replace(b"<soap:Envelope", f"<soap:Envelope {declared}".encode(), 1)
    raw = raw.replace(b"hello", b"<a/>" * elements)
    changes = []
    if prefixes:
        path = f"({SIGNATURE}/ds:SignedInfo/ds:Reference)[1]/ds:Transforms/ds:Transform"
        changes = [insert(path, f'<ec:InclusiveNamespaces PrefixList="{listed}"/>')]
    return bend(raw, *changes, resign(secret=secret_of(pending)))


WORST = {
    "H07 declarations on the Envelope": lambda w: _inclusive(w, 1990, 3000, 0),
    "H07 and a PrefixList": lambda w: _inclusive(w, 1990, 300, 32),
    "A08 half a million elements": lambda w: w.request().data.replace(b"hello", b"<a/>" * 490_000),
    "A09 500 attributes each": lambda w: w.request().data.replace(
        b"hello", (b"<a " + b" ".join(b"a%d=''" % i for i in range(500)) + b"/>") * 500
    ),
    "A11 names that collide": lambda w: w.request().data.replace(
        b"hello", b"".join(b"<x%d/>" % (i * 7919 % 99991) for i in range(50_000))
    ),
    "A07 open tags": lambda w: b"<a>" * 3_000_000,
    "A03 laughs in an attribute of a large document": lambda w: (
        "<!DOCTYPE a [<!ENTITY e0 'lol'>"
        + "".join(f"<!ENTITY e{i} '{f'&e{i - 1};' * 10}'>" for i in range(1, 12))
        + f"]><a b='&e11;'>{'x' * 9_500_000}</a>"
    ).encode(),
    "A10 one long attribute": lambda w: w.request().data.replace(
        b"hello", b"<a b='" + b"x" * 9_000_000 + b"'/>"
    ),
    "D07 many children": lambda w: bend(
        w.request().data,
        lambda root: one(root, SECURITY).extend(element("<wsu:Timestamp/>") for _ in range(20_000)),
    ),
    "C05 many header blocks": lambda w: w.request().data.replace(
        b"<soap:Header>", b"<soap:Header>" + b"<h:x xmlns:h='urn:h'/>" * 1900
    ),
    "E06 many ids": lambda w: w.request().data.replace(b"hello", b"<a Id='x'/>" * 200_000),
}


@pytest.mark.parametrize("name", WORST)
def test_a_worst_case_of_the_tree(name):
    world = World("3")
    assert cost(world, WORST[name](world)) < GENEROUS
    world.call()


def test_many_references_to_large_parts():
    """H08: each target once, so the whole is digested once at most."""
    world = World("3")
    pending = world.request("x" * 1_000_000)
    names = "".join(f'<e:h{i} xmlns:e="urn:h" wsu:Id="h{i}">{"y" * 30_000}</e:h{i}>' for i in range(28))
    message = bend(
        pending.data,
        *(insert(HEADER, child) for child in names.replace("><e:h", ">\0<e:h").split("\0")),
        sign_also(*(f"h{i}" for i in range(28))),
        resign(secret=secret_of(pending)),
    )
    assert cost(world, message) < GENEROUS
    world.refused(message)


@pytest.mark.parametrize(
    "plaintext",
    [b"<a>" * 3000 + b"</a>" * 3000, b"<a/>" * 400_000, b"x" * 10_000_000, b"<a " + b"b='" * 100_000],
)
def test_decrypt_bombs(plaintext):
    """I11."""
    world = World("6")
    pending = world.request()
    message = bend(pending.data, reencrypt(f"{BODY}/xenc:EncryptedData", secret_of(pending), plaintext))
    assert cost(world, message) < GENEROUS
    world.accept(pending.data)


def test_thirty_ciphertexts():
    world = World("6")
    pending = world.request()
    octets = "AAAA" * 80_000
    data = [
        element(
            f'<xenc:EncryptedData Id="e{i}" Type="{uris.TYPE_ELEMENT}"><xenc:EncryptionMethod '
            f'Algorithm="{alg.AES256_CBC}"/><xenc:CipherData><xenc:CipherValue>{octets}</xenc:CipherValue>'
            "</xenc:CipherData></xenc:EncryptedData>"
        )
        for i in range(30)
    ]
    message = bend(pending.data, lambda root: one(root, SECURITY).extend(data))
    assert cost(world, message) < GENEROUS
    world.accept(pending.data)
