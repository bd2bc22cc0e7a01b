"""``wsprovider explain``: what the policy demands, what a message holds and proves, and what is missing.

MESSAGE is a file or ``-``: the body of a request as it came over the wire, or a dump with the HTTP headers in front.
With ``--request`` it is our reply to that request. Nothing is changed by it: replay is told by this message alone,
security contexts are read from the running servers' store. It is meant for whoever holds the keys: do not put it
behind a page for strangers, whom its answers would tell how to forge messages.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any, Final

from wsprovider.cli.explaining import Endpoint, at_endpoint, initiator
from wsprovider.cli.folders import add_folders, environ_of, load
from wsprovider.cli.keys.changing import moment
from wsprovider.cli.messages import Message, read_message
from wsprovider.cli.printing import complain
from wsprovider.config.environment import process_environ
from wsprovider.explain.explaining import Explained
from wsprovider.explain.page import page
from wsprovider.explain.reply import explain_reply, pending_of
from wsprovider.explain.report import Report
from wsprovider.explain.request import explain_request
from wsprovider.explain.text import Text
from wsprovider.words.errors import ConfigurationError, Problem

_AT_MESSAGE: Final = "message"


def register(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "explain", help="explain why a message is accepted or refused", description=__doc__
    )
    command.add_argument("message", metavar="MESSAGE", help="file, or - for standard input")
    command.add_argument("--service", required=True, metavar="NAME", help="folder of the service")
    command.add_argument("--path", help="which endpoint of the service, where there are several")
    command.add_argument("--request", metavar="FILE", help="MESSAGE is our reply to this request")
    command.add_argument(
        "--client",
        type=Path,
        metavar="FILE.p12",
        help="the client's key, for replies that are encrypted to it; its password: WSPROVIDER_CLIENT_PASSWORD",
    )
    command.add_argument(
        "--at",
        type=_clock,
        metavar="WHEN",
        help="what the clock says: a date, or message for the message's own Timestamp (default: now)",
    )
    transport = command.add_mutually_exclusive_group()
    transport.add_argument("--tls", action="store_true", default=None, help="it came by TLS")
    transport.add_argument(
        "--plain", dest="tls", action="store_false", help="it did not (default: as the policy wants it)"
    )
    command.add_argument(
        "--tls-client", type=Path, metavar="FILE", help="certificate of the client that came with TLS"
    )
    command.add_argument("--action", help="SOAPAction (default: what a dump says)")
    command.add_argument(
        "--content-type", help="Content-Type (default: what a dump says, else as the message is)"
    )
    command.add_argument("--html", type=Path, metavar="FILE", help="write a page, too")
    command.add_argument("--show-content", action="store_true", help="show passwords and what was decrypted")
    add_folders(command)
    command.set_defaults(run=run)


def _clock(text: str) -> Any:
    return _AT_MESSAGE if text == _AT_MESSAGE else moment(text)


def run(options: argparse.Namespace) -> int:
    """Explain; 0 for a message that is accepted, 1 for one that is refused."""
    if options.client is not None and options.request is None:
        raise ConfigurationError([Problem("--client", "is for replies: name the --request, too")])
    environ = environ_of(options)
    config = load(environ, backed=False)
    message = read_message(options.message, action=options.action, content_type=options.content_type)
    request = message if options.request is None else read_message(options.request)
    with at_endpoint(
        config,
        environ,
        service=options.service,
        path=options.path or request.path,
        message=message,
        at=None if options.at == _AT_MESSAGE else options.at,
        by_message=options.at == _AT_MESSAGE,
        secure=options.tls,
        tls_client=options.tls_client,
        authorization=request.headers.get("authorization"),
    ) as endpoint:
        explained = _request(endpoint, request, show=options.show_content)
        if options.request is not None:
            explained = _reply(endpoint, message, request, explained, options)
    _write(explained.report, options.html)
    return 0 if explained.report.accepted else 1


def _request(endpoint: Endpoint, request: Message, *, show: bool) -> Explained:
    return explain_request(
        endpoint.recipient,
        request.received(endpoint.limits),
        keys=endpoint.loaded.snapshot,
        transport=endpoint.transport,
        now=endpoint.now,
        facts=endpoint.facts,
        show=show,
    )


def _reply(
    endpoint: Endpoint, message: Message, request: Message, explained: Explained, options: argparse.Namespace
) -> Explained:
    """The reply, by the secrets of its request."""
    if explained.dissection is None:
        raise ConfigurationError([Problem("--request", explained.report.headline)])
    way = endpoint.recipient.ways[explained.closest]
    return explain_reply(
        initiator(endpoint, way.requirements, options.client, _password()),
        message.received(endpoint.limits),
        pending_of(request.received(endpoint.limits), explained.dissection, endpoint.now),
        name=way.stage.value,
        secure=endpoint.transport.secure,
        now=endpoint.now,
        limits=endpoint.limits,
        client=options.client is not None,
        facts=(*endpoint.facts, ("its request", explained.report.headline)),
        show=options.show_content,
    )


def _write(report: Report, html: Path | None) -> None:
    colour = sys.stdout.isatty() and not process_environ().get("NO_COLOR")
    for line in Text(colour=colour).lines(report):
        print(line)
    if html is not None:
        with open(html, "w", encoding="utf-8", opener=_private) as file:
            file.write(page(report))
        complain(f"written: {html}")


def _private(path: str, flags: int) -> int:
    """A report tells an attacker what to change: it is its owner's alone."""
    return os.open(path, flags, 0o600)


def _password() -> str:
    """Of the client's key, as ``wsprovider call`` takes it."""
    return process_environ().get("WSPROVIDER_CLIENT_PASSWORD", "development")
