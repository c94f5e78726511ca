"""What the tools have in common when their command line is wrong: one clear line and a status of its own."""

import argparse
import os
import sys


def check(text, is_wrong):
    """For tools with hardly a command line, whose docstring is the help. Ends the tool after --help (status 0),
    or where the command line is wrong (status 2, only the usage)."""
    if sys.argv[1:2] in (["--help"], ["-h"]):
        print(text.strip())
        sys.exit(0)
    if is_wrong:
        usage = next(part for part in text.split("\n\n") if part.startswith("usage: "))
        print(usage.strip(), file=sys.stderr)
        sys.exit(2)


def count(text):
    """A type for argparse: an integer from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"`{text}` is no number from 1 on")
    return int(text)


def need(target, *paths):
    """Ends the tool when something is not there that `ninja TARGET` builds."""
    for path in paths:
        if not os.path.exists(path):
            sys.exit(f"tools/{os.path.basename(sys.argv[0])}: {path} is not there; `ninja {target}` builds what this needs")
