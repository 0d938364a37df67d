"""``python -m assistant`` and the console script: makes the process offline, then hands over to the command line."""

from __future__ import annotations

from assistant.environment import make_offline


def main() -> None:
    """Run the command line."""
    make_offline()
    from assistant.cli import run  # typer and all below it must see the offline environment

    run()


if __name__ == "__main__":
    main()
