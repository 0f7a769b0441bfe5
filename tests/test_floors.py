"""A file imports its own wing and wings on lower floors; never beside, never above."""

from __future__ import annotations

import ast
from pathlib import Path

import omma

FLOORS: list[set[str]] = [
    {"errors", "ops"},
    {"spec", "sample", "chat", "shape", "spoken", "turns"},
    {"model", "presets", "prep", "serve", "synth"},
    {"weights", "engine", "evals", "agent", "skills", "corpus", "hub"},
    {"loading", "plan", "verbs"},
    {"train", "respond", "remote", "running"},
    {"cli", "__init__", "__main__", "scale", "host"},
]
# Wings that may know a neighbour: nouns stand on one floor and may name each other downwards in this order.
BESIDE = {
    ("spec", "sample"),
    ("chat", "sample"),
    ("chat", "shape"),
    ("chat", "spoken"),
    ("chat", "turns"),
    ("spoken", "turns"),
    ("shape", "sample"),
    ("ops", "errors"),
    ("__main__", "cli"),
    ("cli", "scale"),
    ("cli", "host"),
    ("scale", "host"),
    ("running", "respond"),
}
TORCHLESS = {
    "errors",
    "chat",
    "spoken",
    "turns",
    "sample",
    "spec",
    "shape",
    "presets",
    "prep",
    "serve",
    "synth",
    "evals",
    "agent",
    "skills",
    "corpus",
}
TORCHLESS_FILES = {f"engine/{name}.py" for name in ("request", "pages", "scheduler", "grammar")}
TORCHLESS_FILES |= {f"engine/{name}.py" for name in ("corners", "lark", "moments", "placed", "schema_rules")}
TORCHLESS_FILES |= {f"engine/{name}.py" for name in ("closing", "finite", "patterns", "reach", "ways")}
ONLY_IN = {
    "triton": {"ops/triton_kernels.py"},
    "fastapi": {"serve/app.py"},
    "transformers": set(),
    "pickle": set(),
}

ROOT = Path(omma.__file__).parent


def wing(path: Path) -> str:
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def floor(name: str) -> int:
    for number, wings in enumerate(FLOORS, 1):
        if name in wings:
            return number
    raise AssertionError(f"{name} stands on no floor; give it one in the plan")


def imports(path: Path) -> set[str]:
    """Dotted names of everything a file imports, wherever in the file the import stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the floor"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


FILES = sorted(ROOT.rglob("*.py"))


def test_no_file_imports_beside_or_above() -> None:
    wrong = []
    for path in FILES:
        own = wing(path)
        for name in imports(path):
            if not name.startswith("omma."):
                continue
            other = name.split(".")[1]
            if other != own and (own, other) not in BESIDE and floor(other) >= floor(own):
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_torch_stays_out_of_the_rooms_that_do_not_compute() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in FILES
        if (wing(path) in TORCHLESS or str(path.relative_to(ROOT)) in TORCHLESS_FILES)
        and any(name.split(".")[0] == "torch" for name in imports(path))
    ]
    assert not wrong, "\n".join(wrong)


def test_guests_stay_in_their_rooms() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in FILES
        for name in imports(path)
        if (room := ONLY_IN.get(name.split(".")[0])) is not None and str(path.relative_to(ROOT)) not in room
    ]
    assert not wrong, "\n".join(wrong)


def test_the_environment_is_read_only_at_the_command_line() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in FILES
        if wing(path) != "cli" and any(word in path.read_text() for word in ("os.environ", "os.getenv"))
    ]
    assert not wrong, "\n".join(wrong)


def test_no_file_is_a_drawer() -> None:
    drawers = {"utils", "common", "misc", "helpers"}
    assert not [path for path in FILES if path.stem in drawers]
