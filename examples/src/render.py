"""Draw the example pictures anew: every page beside this file, in a browser, as a PNG, with its parts' boxes.

    python examples/src/render.py            (wants Chromium; name another with --browser)

The pictures come from a renderer that no training picture ever came from. The truth is the browser's own:
boxes.json holds, for each picture, [left, top, right, bottom] of every element that carries a data-name.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUT = HERE.parent
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
]
MEASURE = """<script>
const parts = [...document.querySelectorAll('[data-name]')].map(part => {
  const box = part.getBoundingClientRect();
  return [part.dataset.name, [box.left, box.top, box.right, box.bottom].map(side => Math.round(side))];
});
const told = document.createElement('pre');
told.id = 'told';
told.hidden = true;
told.textContent = JSON.stringify(parts);
document.body.append(told);
</script>"""


def browse(browser: str, *words: str) -> str:
    """Run the browser once, with a profile of its own, and return what it printed."""
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, *QUIET, f"--user-data-dir={profile}", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def draw(browser: str, page: Path) -> list[tuple[str, list[int]]]:
    """Draw one page to a PNG of the size it asks for; return its named parts and their boxes."""
    source = page.read_text(encoding="utf-8")
    sides = [re.search(rf'data-{side}="(\d+)"', source) for side in ("width", "height")]
    if None in sides:
        raise SystemExit(f"{page}: the html element has no data-width and data-height")
    width, height = (side.group(1) for side in sides if side)
    room = f"<style>html {{ width: {width}px; height: {height}px; overflow: hidden }}</style>"
    picture = OUT / page.with_suffix(".png").name
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, page.name)
        copy.write_text(source.replace("</html>", room + MEASURE + "</html>"), encoding="utf-8")
        browse(browser, f"--screenshot={picture}", f"--window-size={width},{height}", copy.as_uri())
        document = browse(browser, f"--window-size={width},{height}", "--dump-dom", copy.as_uri())
    told = re.search(r'<pre id="told"[^>]*>(.*?)</pre>', document, re.DOTALL)
    if told is None:
        raise SystemExit(f"{page}: the browser measured nothing")
    parts: list[tuple[str, list[int]]] = json.loads(html.unescape(told.group(1)))
    return parts


def main() -> None:
    """Draw every page and write boxes.json."""
    parser = argparse.ArgumentParser(description="Draw the example pictures anew.")
    parser.add_argument("--browser", default=shutil.which("chromium") or shutil.which("google-chrome"))
    browser = parser.parse_args().browser
    if not browser:
        raise SystemExit("no browser was found; install chromium or name one with --browser")
    boxes = {page.with_suffix(".png").name: draw(browser, page) for page in sorted(HERE.glob("*.html"))}
    lines = ",\n".join(f'  "{name}": {json.dumps(parts)}' for name, parts in boxes.items())
    (OUT / "boxes.json").write_text("{\n" + lines + "\n}\n", encoding="utf-8")
    print(f"drew {len(boxes)} pictures into {OUT}")


if __name__ == "__main__":
    main()
