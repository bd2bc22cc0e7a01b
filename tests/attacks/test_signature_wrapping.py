"""Signature wrapping, enumerated: E01 to E08 and E17.

The signed element moves somewhere else, and a forged one takes its place. Every combination of what is
moved, where to, in which wrapping, and what id the forged one has, is made and must be refused: none of
them may be accepted, whatever it says.
"""

import copy
import itertools

import pytest
from lxml import etree

from tests.simulator.bend import (
    BODY,
    HEADER,
    SECURITY,
    SIGNATURE,
    TIMESTAMP,
    WSU_ID,
    bend,
    element,
    every,
    one,
    plaintext_of,
    secret_of,
)
from tests.simulator.world import World
from wsprovider.exchange.initiator import Pending

UT = f"{SECURITY}/wsse:UsernameToken"
PARTS = {"Body": BODY, "Timestamp": TIMESTAMP, "UsernameToken": UT}
PLACES = {
    "header, first": (HEADER, 0),
    "header, last": (HEADER, None),
    "Envelope, first": ("/*", 0),
    "Envelope, before the Body": ("/*", 1),
    "Envelope, last": ("/*", None),
    "Security, first": (SECURITY, 0),
    "Security, last": (SECURITY, None),
    "Signature": (SIGNATURE, None),
    "SignedInfo": (f"{SIGNATURE}/ds:SignedInfo", None),
    "KeyInfo": (f"{SIGNATURE}/ds:KeyInfo", None),
    "Body": (BODY, 0),
    "payload": (f"{BODY}/*", None),
    "forged element": ("forged", 0),
    "gone": (None, None),
}
WRAPPERS = {
    "bare": None,
    "wrapper": "<e:wrapper/>",
    "Object": "<ds:Object/>",
    "header of another role": '<e:wrapper s:actor="urn:other" s:mustUnderstand="0"/>',
    "Security of another role": '<wsse:Security s:actor="urn:other"/>',
    "Envelope": "<s:Envelope/>",
    "EncryptedHeader": "<wsse11:EncryptedHeader/>",
}
IDS = ("same", "new", "none", "Id", "xml:id")
OLD = {"Body": ("hello", "forged"), "Timestamp": ("12:05:00", "12:04:00"), "UsernameToken": ("alice", "bob")}


def _forge(original: etree._Element, part: str, identity: str) -> etree._Element:
    old, new = OLD[part]
    text = etree.tostring(original, with_tail=False).decode()
    assert old in text
    forged = etree.fromstring(text.replace(old, new).replace("secret", "geheim"))
    identifier = forged.attrib.pop(WSU_ID)
    if identity == "same":
        forged.set(WSU_ID, identifier)
    elif identity == "new":
        forged.set(WSU_ID, "forged")
    elif identity == "Id":
        forged.set("Id", identifier)
    elif identity == "xml:id":
        forged.set("{http://www.w3.org/XML/1998/namespace}id", identifier)
    return forged


def wrapped(data: bytes, part: str, place: str, wrapper: str, identity: str) -> bytes:
    def change(root: etree._Element) -> None:
        original = one(root, PARTS[part])
        forged = _forge(original, part, identity)
        parent = original.getparent()
        assert parent is not None
        parent.replace(original, forged)
        path, index = PLACES[place]
        if path is None:
            return
        target = forged if path == "forged" else one(root, path)
        moved = copy.deepcopy(original)
        moved.tail = None
        xml = WRAPPERS[wrapper]
        if xml is not None:
            around = element(xml)
            around.append(moved)
            moved = around
        target.insert(len(target) if index is None else index, moved)

    return bend(data, change)


def _world_with_clear_token(scenario: str) -> tuple[World, bytes]:
    world = World(scenario, clear_password_over_http=True)
    pending = world.request()
    return world, _token_in_clear(pending) if scenario == "8" else pending.data


def _token_in_clear(pending: Pending) -> bytes:
    """The signed UsernameToken (and Body) readable, as Rampart sends the former."""

    def change(root: etree._Element) -> None:
        data = one(root, f"{SECURITY}/xenc:EncryptedData")
        for listed in every(root, f"{SECURITY}/xenc:ReferenceList/*"):
            if listed.get("URI") == f"#{data.get('Id')}":
                listed.getparent().remove(listed)
        data.getparent().replace(data, element(plaintext_of(data, secret_of(pending)).decode()))

    return bend(pending.data, change)


CASES = [
    ("2", "Body"),
    ("2", "Timestamp"),
    ("3", "Body"),
    ("3", "Timestamp"),
    ("8", "Timestamp"),
    ("8", "UsernameToken"),
    ("9", "Body"),
    ("11", "Timestamp"),
    ("14", "Timestamp"),
]


@pytest.mark.parametrize(("scenario", "part"), CASES, ids=lambda value: value)
def test_no_wrapping_is_accepted(scenario, part):
    world, genuine = _world_with_clear_token(scenario)
    count = 0
    for place, wrapper, identity in itertools.product(PLACES, WRAPPERS, IDS):
        if PLACES[place][0] is None and wrapper != "bare":
            continue
        message = wrapped(genuine, part, place, wrapper, identity)
        try:
            world.refused(message)
        except AssertionError as accepted:
            raise AssertionError(f"{part} to {place} in {wrapper}, forged with id {identity}") from accepted
        count += 1
    assert count == (len(PLACES) - 1) * len(WRAPPERS) * len(IDS) + len(IDS)
    world.accept(genuine)


@pytest.mark.parametrize(("scenario", "part"), CASES, ids=lambda value: value)
def test_a_second_copy_of_a_signed_element_is_refused(scenario, part):
    """E06: the forged element beside the genuine one, before and behind it, under each kind of id."""
    world, genuine = _world_with_clear_token(scenario)
    for behind, identity in itertools.product((False, True), IDS):

        def change(root: etree._Element, behind: bool = behind, identity: str = identity) -> None:
            original = one(root, PARTS[part])
            forged = _forge(original, part, identity)
            if behind:
                original.addnext(forged)
            else:
                original.addprevious(forged)

        world.refused(bend(genuine, change))
    world.accept(genuine)


@pytest.mark.parametrize("scenario", ["4", "5", "6", "7", "8", "11", "14"])
def test_ciphertext_cannot_be_wrapped(scenario):
    """E17 and I07: the Body's EncryptedData somewhere else, with a Body in clear in its place."""
    world = World(scenario)
    genuine = world.request().data
    forged_body = "<e:echo><e:text>forged</e:text></e:echo>"
    for place, wrapper in itertools.product(PLACES, WRAPPERS):
        path, index = PLACES[place]
        if path in (None, "forged"):
            continue

        def change(
            root: etree._Element, path: str = path, index: int | None = index, wrapper: str = wrapper
        ) -> None:
            data = one(root, f"{BODY}/xenc:EncryptedData")
            one(root, BODY).replace(data, element(forged_body))
            xml = WRAPPERS[wrapper]
            moved = data
            if xml is not None:
                moved = element(xml)
                moved.append(data)
            target = one(root, path)
            target.insert(len(target) if index is None else index, moved)

        world.refused(bend(genuine, change))
    world.accept(genuine)
