"""The words of every skill for one dialect, as data: for programs that ask over HTTP, the page among them."""

from __future__ import annotations

from omma.prep.dialects import dialect_of
from omma.skills import describe, find, locate, point, read
from omma.skills.asking import OWN

# A schema, or the fields by name, in; JSON out. omma's own words are those that it was taught.
EXTRACT = {
    OWN: "Extract the fields of this JSON schema from the picture: {what}",
    "pixels": "Read the picture and answer with JSON of this schema, null for what is missing: {what}",
}
EVIDENCE = {
    OWN: "Extract {what} with boxes in JSON.",
    "pixels": "Extract {what} from the picture. Answer with a JSON object in which each field has its value "
    "and the bbox_2d of the place where it stands.",
}
for _words in (EXTRACT, EVIDENCE):
    _words["relative"] = _words["marks"] = _words["tags"] = _words["pixels"]


def prompts(dialect: str) -> dict[str, str]:
    """What to say to "describe", "find", "read", "point", "locate", "extract" and "evidence", by these names.

    ``{what}`` is the place of a person's wish: a thing, an event, a JSON schema, or names of fields. A skill
    that a generation does not have is left out. Raises BadInput for a dialect that nobody speaks.
    """
    dialect_of(dialect)
    words = {
        "describe": describe.PROMPTS,
        "find": find.PROMPTS,
        "read": read.PROMPTS_WITH_BOXES,
        "point": point.PROMPTS,
        "extract": EXTRACT,
        "evidence": EVIDENCE,
    }
    told = {name: each.get(dialect, each[OWN]) for name, each in words.items()}
    return told if dialect == "tags" else told | {"locate": locate.PROMPTS[dialect]}
