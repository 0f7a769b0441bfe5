"""Pictures and videos that a model of each dialect was shown, and what may be asked of every dialect."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

from omma.chat import Seen
from omma.sample import Size

few = settings(max_examples=30)
THOUSAND = Size(1000, 1000)


def shown(dialect: str, size: Size = THOUSAND, times: tuple[float, ...] = ()) -> Seen:
    """A picture of this size, whole sides of which count a thousand in every dialect."""
    return Seen("video" if times else "image", size, THOUSAND, dialect, times)


sizes = st.builds(Size, st.integers(1, 5000), st.integers(1, 5000))
numbers = st.integers(0, 999)
labels = st.text(st.characters(codec="utf-8")).map(str.strip).filter(lambda label: "<" not in label)
SCRAPS = [
    *("{", "}", "[", "]", "(", ")", ",", ":", '"', "'", "\\", "\n", " ", "-", "1e999", "NaN", "9" * 400),
    *(
        '{"bbox_2d":[1,2,3,4]',
        '"quad_2d":[1,2,3,4,5,6,7,8]',
        '"bbox_3d":',
        '"start":1,"end":2',
        '"time":"1:2"',
    ),
    *("<quad>", "<box>(1,2)", "</quad>", "<ref>", "(1,2),", "1 to 2", "</p>", "<table>", "<tr><td>", "1.5"),
    *(
        "<!-- Image (1, 2, 3, 4) -->",
        "\\begin{tabular}{l}",
        "a & b \\\\",
        "\\end{tabular}",
        "```",
        "# ",
        "<!--",
    ),
    *(
        '<p data-bbox="1 2 3 4">',
        '<div class="chart">',
        "</div>",
        "<div",
        "<",
        ">",
        "&lt;",
        "&#" + "9" * 5000,
    ),
    *(
        '<tool_call>{"name":"computer_use","arguments":{"action":"left_click","coordinate":[1,2]}}',
        "</tool_call>",
    ),
    *("*FUNCTION*: computer_use\n*ARGS*: ", "</think>\n", "\x00", "\ud800", "| a | b |", "<li>", "$$", "-->"),
]
any_text = st.text() | st.lists(st.sampled_from(SCRAPS)).map("".join)
