"""What the command line knows, for tests of pages and files that name its commands."""

from __future__ import annotations

import typer.main

from cli.main import app


def is_command(words: list[str]) -> bool:
    """Tell whether ``shimin`` knows a command of these words; more words are its arguments."""
    command = typer.main.get_command(app)
    for word in words:
        if not hasattr(command, "commands"):
            return True
        if word not in command.commands:
            return False
        command = command.commands[word]
    return not hasattr(command, "commands")
