"""Nothing that protects is an ``assert``: under ``python -O`` the same is refused and accepted (F12)."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from tests.simulator.world import World
from wsprovider.words.errors import WSSecurityError

if __debug__:
    sys.exit("not optimised")
for number in "2345678":
    world = World(number, suite="Basic256GcmSha256")
    message = world.request("hello").data
    for tampered in (
        message.replace(b"</soap:Body>", b"<x xmlns='urn:x'/></soap:Body>"),
        message.replace(b"<ds:SignatureValue>", b"<ds:SignatureValue>AAAA"),
        message.replace(b"<xenc:CipherValue>", b"<xenc:CipherValue>AAAA"),
        message.replace(b"<ds:DigestValue>", b"<ds:DigestValue>AAAA"),
        message[: message.index(b"<ds:Signature ")] + message[message.index(b"</ds:Signature>") + 15 :],
    ):
        if tampered == message:
            continue
        try:
            world.accept(tampered)
        except Exception as error:
            print(number, type(error).__name__)
        else:
            sys.exit(f"{number}: a tampered message was accepted")
    world.accept(message)
    try:
        world.accept(message)
    except WSSecurityError:
        continue
    sys.exit(f"{number}: a replay was accepted")
"""


def test_without_assertions():
    done = subprocess.run(
        [sys.executable, "-O", "-c", PROGRAM],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    refusals = done.stdout.split()[1::2]
    assert len(refusals) >= 7 * 4
    assert set(refusals) <= {"WSSecurityError", "SoapError"}
