"""Read a page as a document: headings, texts, tables, pictures and formulas, each in its place."""

from __future__ import annotations

from dataclasses import replace

from omma.chat import Image, MediaSource, Options, Responder
from omma.prep.document_markdown import parse_document
from omma.prep.documents import Document
from omma.skills.asking import PLAIN, ask, seen, worded

# What begins each generation's own form of a page (facts §7.2); omma's own and the older ones know no places.
PROMPTS = {
    "grid": "Convert the page to Markdown.",
    "pixels": "QwenVL HTML ",
    "relative": "qwenvl html",
}
MARKDOWN = PROMPTS | {"pixels": "QwenVL Markdown", "relative": "qwenvl markdown"}


def document(
    responder: Responder, picture: MediaSource | Image, options: Options = PLAIN, *, places: bool = True
) -> Document:
    """The page as blocks in reading order, in pixels of the original picture.

    Without `places` the model is asked for Markdown, which is shorter: only pictures and tables have a place.
    `complete` is False when the answer was cut at max_tokens.
    """
    answer = ask(responder, picture, worded(responder, PROMPTS if places else MARKDOWN), options)
    found = parse_document(answer.text, seen(answer))
    return replace(found, complete=found.complete and answer.finish_reason != "length")
