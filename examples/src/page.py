"""Make the page's examples anew: small lossless copies of the pictures in examples/, and a drawn clip of 6 s.

python examples/src/page.py            (wants PyAV)
"""

from __future__ import annotations

from pathlib import Path

import av
import PIL.Image
from PIL import ImageDraw

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "src" / "omma" / "serve" / "page"
PICTURES = ("shapes", "stars", "heading", "form", "garden")
SIZE, SECONDS, RATE, FINE = (224, 168), 6.0, 12, 4


def main() -> None:
    """Write the files, and say how large they are."""
    for name in PICTURES:
        with PIL.Image.open(HERE.parent / f"{name}.png") as picture:
            picture.convert("RGB").save(PAGE / f"{name}.webp", lossless=True, method=6)
    frames = [frame(number / RATE) for number in range(int(SECONDS * RATE))]
    frames[int(2.2 * RATE)].save(PAGE / "clip.webp", lossless=True, method=6)
    write(frames, PAGE / "clip.mp4")
    made = [*(PAGE / f"{name}.webp" for name in (*PICTURES, "clip")), PAGE / "clip.mp4"]
    print(f"{len(made)} files, {sum(path.stat().st_size for path in made):,} bytes")


def frame(second: float) -> PIL.Image.Image:
    """A red circle that rolls to the right from 1 s to 3.5 s, and a blue square from 4.5 s on."""
    width, height = (side * FINE for side in SIZE)
    picture = PIL.Image.new("RGB", (width, height), "#f2ede2")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, height * 0.78, width, height), fill="#d9cfba")
    if second >= 4.5:
        pen.rectangle((width * 0.08, height * 0.5, width * 0.29, height * 0.78), fill="#1f5fae")
    share = min(max((second - 1.0) / 2.5, 0.0), 1.0)
    share = share * share * (3 - 2 * share)
    x, radius = width * (0.2 + 0.58 * share), height * 0.15
    pen.ellipse((x - radius, height * 0.78 - 2 * radius, x + radius, height * 0.78), fill="#c8402f")
    return picture.resize(SIZE, PIL.Image.Resampling.LANCZOS)


def write(frames: list[PIL.Image.Image], path: Path) -> None:
    """Frames as H.264 in MP4, the index first, so that a browser can begin at once."""
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.options = {"crf": "22", "preset": "veryslow"}
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode())


if __name__ == "__main__":
    main()
