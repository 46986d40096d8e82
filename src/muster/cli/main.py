# SPDX-License-Identifier: Apache-2.0
"""`muster`: one line on stderr for what is wrong, exit 2 for bad input, 1 for failure."""

from __future__ import annotations

import importlib
import os
import sys
from importlib.util import find_spec

import typer

from muster.base.errors import Refusal

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  help="Muster (每一户): reach every household.")  # fmt: skip

MODULES = ("running", "people", "keeping", "importing", "planning", "warming", "demo", "benching", "site")
BAD_INPUT, FAILURE = 2, 1


def register_all() -> None:
    for name in MODULES:
        if find_spec(f"muster.cli.{name}") is not None:
            importlib.import_module(f"muster.cli.{name}").register_commands(app)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "muster.config.settings")
    register_all()
    try:
        # Without standalone mode an Exit is answered, not raised.
        code = app(standalone_mode=False)
    except Refusal as refusal:
        _say(sentence_of(refusal))
        sys.exit(BAD_INPUT)
    except typer.Exit as done:
        sys.exit(done.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        _say("stopped")
        sys.exit(FAILURE)
    except Exception as error:
        usage = getattr(error, "format_message", None)
        if callable(usage):  # what typer says of wrong words on the line, whichever click it brings
            _say(str(usage()))
            sys.exit(BAD_INPUT)
        if os.environ.get("MUSTER_TRACE"):
            raise
        _say(f"{type(error).__name__}: {error}")
        sys.exit(BAD_INPUT if isinstance(error, (ValueError, FileNotFoundError)) else FAILURE)
    sys.exit(code if isinstance(code, int) else 0)


def sentence_of(refusal: Refusal) -> str:
    """The sentence of a refusal in the reader's language, with its cure."""
    from muster.base.messages import cure, text

    lang = "zh" if os.environ.get("LANG", "").startswith("zh") else "en"
    try:
        mend = cure(refusal.code, lang, **refusal.facts)
        return f"{text(refusal.code, lang, **refusal.facts)}{' ' + mend if mend else ''}"
    except (LookupError, KeyError):
        return str(refusal)


def _say(line: str) -> None:
    sys.stderr.write(line.replace("\n", " ") + "\n")


if __name__ == "__main__":
    main()
