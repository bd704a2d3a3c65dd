"""The command line: one file a command, or a group of them."""

import click

from shibori.commands.group import CommandGroup

HELP = """Hyperparameter search: a server, workers, and what to ask them.

Data goes to the standard output, messages to the standard error.

\b
Exit codes:
  0    done
  1    the server refused, or something failed; the message says what
  2    wrong use of a command, or a file that cannot be read
  3    the server cannot be reached
  130  interrupted
"""

COMMANDS = {
    "serve": "Run the server.",
    "worker": "Run trials for a server.",
    "study": "Submit, list, show, watch and control studies.",
    "workers": "List the workers, and let one go on that was paused.",
    "best": "Show the best trials of a study.",
    "narrow": "Say what the evidence says of each range.",
    "db": "Upgrade, check, copy or prune a database.",
    "demo": "Run a whole search on handwritten digits.",
}


@click.group(cls=CommandGroup, names=COMMANDS, help=HELP)
@click.version_option(package_name="shibori")
def main() -> None:
    """The root of all commands."""
