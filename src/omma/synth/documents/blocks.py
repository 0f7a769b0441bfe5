"""What a page means: its blocks in reading order, and the same as Markdown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """A unit of meaning, in reading order. `lines` are the numbers of the things that print it.

    `kind` is "title", "heading", "text", "list item", "quote", "code" or "caption"; `marker` what stands
    before a list's item in Markdown, "-" or "3."; `depth` a heading's level, 1 for the title.
    """

    kind: str
    text: str
    lines: tuple[int, ...]
    marker: str = ""
    depth: int = 0


@dataclass(frozen=True)
class Page:
    """What a page means. `number` and `running` (head and foot) name things that are not of its text."""

    blocks: tuple[Block, ...]
    columns: int
    number: int | None
    running: tuple[int, ...]

    @property
    def markdown(self) -> list[str]:
        """The text as lines of Markdown, without what runs on every page."""
        lines: list[str] = []
        for before, block in zip((None, *self.blocks), self.blocks, strict=False):
            if before and not _same_list(before, block):
                lines.append("")
            match block.kind:
                case "title" | "heading":
                    lines.append(f"{'#' * block.depth} {block.text}")
                case "list item":
                    lines.append(f"{block.marker} {block.text}")
                case "quote":
                    lines.append(f"> {block.text}")
                case "code":
                    lines += ["```", *block.text.split("\n"), "```"]
                case _:
                    lines.append(block.text)
        return lines


def _same_list(before: Block, block: Block) -> bool:
    """Whether an item goes on with the list of the block before it."""
    both = bool(before.marker and block.marker)
    return both and (before.marker == "-") == (block.marker == "-") and block.marker != "1."
