"""The command line of the data: `python -m trainer.data download mnist --to DIR`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from trainer.data.download import MIRRORS, download
from trainer.errors import DataError


def main(arguments: Sequence[str] | None = None) -> int:
    """Download the full set; the exit code is 0, or 1 with a message on stderr."""
    parser = argparse.ArgumentParser(prog="python -m trainer.data")
    command = parser.add_subparsers(required=True).add_parser("download", help="fetch the full set")
    command.add_argument("dataset", choices=["mnist"])
    command.add_argument("--to", type=Path, required=True, help="folder for the IDX files")
    command.add_argument("--mirror", help=f"base URL of the files (default: {' or '.join(MIRRORS)})")
    chosen = parser.parse_args(arguments)
    try:
        download(chosen.to, (chosen.mirror,) if chosen.mirror else MIRRORS)
    except DataError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stderr.write(f"The full MNIST is in {chosen.to}. To train on it: export SHIBORI_DATA_DIR={chosen.to}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
