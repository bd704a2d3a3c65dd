"""Runs the command line as `python -m shibori`."""

from shibori.commands import main

if __name__ == "__main__":
    main()
