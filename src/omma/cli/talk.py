"""A conversation at the terminal or from a pipe: lines in, answers out, pictures by /picture."""

from __future__ import annotations

import sys
from contextlib import suppress

from omma.chat import Image, Message, Options, Part, Responder, Video, message
from omma.cli.bring import media
from omma.cli.say import aside, say
from omma.cli.telling import tell
from omma.errors import OmmaError, UnknownOption

HELP = """/picture FILE   show a picture with what you say next
/video FILE     show a video with what you say next
/new            forget the conversation
/help           this list
/quit           end (so does ctrl-D)"""


class Talk:
    """What was said so far, and what will be shown with the next line."""

    def __init__(
        self, responder: Responder, options: Options, opening: list[Message], *, json: bool, shown: list[Part]
    ) -> None:
        self.responder, self.options, self.json = responder, options, json
        self.opening, self.spoken = opening, list(opening)
        self.shown = shown
        self.live = sys.stdin.isatty() and sys.stdout.isatty()

    def run(self) -> None:
        """Take lines until /quit or the end of input. At a terminal a mistake is told and forgiven."""
        if self.live:
            with suppress(ModuleNotFoundError):  # the arrow keys; Python may be built without them
                import readline  # noqa: F401
            self._remark("Say something; /help lists what else there is.")
        while (line := self._line()) is not None:
            try:
                if not self.take(line.strip()):
                    return
            except OmmaError as problem:
                if not self.live:
                    raise
                aside(str(problem))
            except KeyboardInterrupt:
                if not self.live:
                    raise
                say()

    def take(self, line: str) -> bool:
        """Do what one line wants; False when it wants to end."""
        word, _, rest = line.partition(" ")
        match word:
            case "":
                pass
            case "/quit" | "/exit":
                return False
            case "/help":
                self._remark(HELP)
            case "/new":
                self.spoken, self.shown = list(self.opening), []
            case "/picture" | "/video":
                self._show(word, rest.strip())
            case _ if word.startswith("/") and word[1:].isalpha():
                raise UnknownOption(f"{word} is not known here; /help lists what is")
            case _:
                self._say(line)
        return True

    def _show(self, word: str, name: str) -> None:
        if not name:
            raise UnknownOption(f"{word} wants a file: {word} photo.jpg")
        part = media(name)
        wanted = Image if word == "/picture" else Video
        if isinstance(part, (Image, Video)) and not isinstance(part, wanted):
            part = wanted(name)
        self.shown.append(part)
        if self.live:
            self._remark(f"{name} is shown with what you say next.")

    def _remark(self, text: str) -> None:
        """Words that are no answer; with --json stdout holds objects alone."""
        for line in text.splitlines():
            (aside if self.json else say)(line)

    def _say(self, line: str) -> None:
        """Answer a line. What could not be answered is not kept."""
        turn = message("user", *self.shown, line)
        answer = tell(self.responder.stream([*self.spoken, turn], self.options), json=self.json)
        self.spoken += [turn, message("assistant", answer.text)]
        self.shown = []

    def _line(self) -> str | None:
        if self.live:
            try:
                return input("> ")
            except EOFError:
                say()
                return None
            except KeyboardInterrupt:
                say()
                return ""
        return sys.stdin.readline() or None
