"""What a request costs: ``python -m benchmarks [cost|stages|over_http|worst|oracle|...]``; ``--help`` says more.

Without a word: the table of costs, and where the time of one call goes.
"""

import argparse
import runpy
import sys

from benchmarks import cost, oracle, over_http, replays, stages, worst

_ADAPTERS = {
    "shared_store": "what remembering one message costs, by store",
    "user_timing": "what checking a password costs",
}


def main() -> None:
    """Choose a benchmark and run it."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command")
    for module in (cost, stages, over_http, worst, oracle, replays):
        name = module.__name__.rpartition(".")[2]
        head = (module.__doc__ or "").partition("\n")[0]
        command = commands.add_parser(
            name,
            help=head,
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    for name, head in _ADAPTERS.items():
        commands.add_parser(name, help=head, add_help=False)
    options, rest = parser.parse_known_args()
    if options.command in _ADAPTERS:
        sys.argv[1:] = rest
        runpy.run_module(f"benchmarks.{options.command}", run_name="__main__")
    elif options.command is not None:
        if rest:
            parser.error(f"unknown: {' '.join(rest)}")
        options.run(options)
    else:
        for name in ("cost", "stages"):
            chosen = parser.parse_args([name])
            chosen.run(chosen)
            print()


if __name__ == "__main__":
    main()
