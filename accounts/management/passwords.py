"""How commands come by a password: typed twice, read from a pipe, or made.

And how they answer: in words or as JSON.
"""

import argparse
import getpass
import json
import secrets
import sys
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError


def add_password_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that ask_password() reads."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--password-stdin", action="store_true", help="read it from standard input"
    )
    group.add_argument("--random", action="store_true", help="make one and print it")


def add_json_argument(parser: argparse.ArgumentParser) -> None:
    """Add --json, which tell() reads."""
    parser.add_argument("--json", action="store_true", help="answer as a JSON object")


def tell(
    command: BaseCommand, options: dict[str, Any], said: str, **facts: object
) -> None:
    """Print what was done: in words, or with --json the facts."""
    command.stdout.write(json.dumps(facts) if options["json"] else said)


def ask_password(command: BaseCommand, options: dict[str, Any]) -> str:
    """Return the password; never taken from an argument, which others can see."""
    if options["random"]:
        password = secrets.token_urlsafe(15)
        if not options["json"]:
            command.stdout.write(f"password: {password}")
        return password
    if options["password_stdin"]:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = _typed_twice()
    try:
        validate_password(password)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
    return password


def _typed_twice() -> str:
    if not sys.stdin.isatty():
        raise CommandError(
            "There is no terminal to type a password: --random makes one,"
            " --password-stdin reads it."
        )
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise CommandError("The two are not the same.")
    return password
