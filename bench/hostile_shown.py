"""Hostile inputs that are shown: pictures, videos, addresses to fetch from, paths."""

from __future__ import annotations

from collections.abc import Callable

from bench import hostile_media as media
from bench.hostile_inputs import Attack, asked, data, shown


def picture(name: str, make: Callable[[], bytes], says: str) -> Attack:
    return Attack(f"picture: {name}", 400, says, data(make))


def video(name: str, make: Callable[[], bytes], says: str) -> Attack:
    return Attack(f"video: {name}", 400, says, data(make, "video"), within=45.0)


def fetched(name: str, url: str, says: str, within: float = 20.0) -> Attack:
    return Attack(f"address: {name}", 400, says, shown(url), within)


PICTURES = (
    picture("a bomb of 900 million pixels", media.png_bomb, "900,000,000 pixels; at most"),
    picture("a header of 2³¹ × 2³¹", lambda: media.png(2**31 - 1, 2**31 - 1), "at most"),
    picture("a comment of 200 MB", media.png_text_bomb, "broken picture"),
    picture("a colour profile of 200 MB", media.png_profile_bomb, "broken picture"),
    picture("a header without pixels", lambda: media.png(4_000, 4_000), "broken picture"),
    picture("one pixel high", lambda: media.png(30_000, 1, bytes(90_001)), "at most 200 times"),
    picture("a GIF of 65,535 × 65,535", media.gif_wide, "at most"),
    picture("a JPEG of 65,500 × 65,500", media.jpeg_wide, "at most"),
    picture("a JPEG that is cut", lambda: media.noise("JPEG")[:900], "broken picture"),
    picture("a PNG that is cut", lambda: media.noise()[:2_000], "broken picture"),
    picture("a WebP that lies", media.webp_lie, "broken picture"),
    picture("a TIFF of 2³¹ × 2³¹", media.tiff_wide, "at most"),
    picture("a TIFF that points outside", media.tiff_far, "broken picture"),
    picture("an AVIF that is cut", media.avif_cut, "broken picture"),
    picture("an SVG that names a file", lambda: media.SVG, "not a picture"),
    picture("an SVG of entities in entities", lambda: media.LAUGHS, "not a picture"),
    picture("a PostScript program", lambda: media.SCRIPT, "not a picture"),
    picture("an archive", lambda: media.ZIP, "not a picture"),
    picture("a pickle", lambda: media.PICKLE, "not a picture"),
    picture("a film", media.film, "not a picture"),
)
VIDEOS = (
    video("an animation of two thousand million frames", media.png_flood, "2,147,483,647 frames"),
    video("a flood of frames", media.gif_flood, "4,000,000,000 pixels; at most"),
    video("an animation that grows", media.gif_grows, "its frame 2 reaches out to 9001×9001"),
    video("a day between eight frames", media.film_lie, "at most 21,600 s"),
    video("a table of 2³² frames", media.film_samples, "broken video"),
    video("three thousand streams", media.film_streams, "video"),
    video("no frame", media.film_empty, "without a single frame"),
    video("frames of 65,000 × 65,000", media.film_wide, "video"),
    video("sound", media.sound, "no pictures, only audio"),
    video("cut", lambda: media.film()[:300], "broken video"),
    video("a playlist of files", lambda: media.PLAYLIST, "broken video"),
    video("a list of files to join", lambda: media.CONCAT, "broken video"),
    video("a manifest", lambda: media.DASH, "broken video"),
    video("a session", lambda: media.SDP, "broken video"),
    video("an odd codec", lambda: media.film("huffyuv", "avi"), "huffyuv; wanted one of"),
    video("a still picture", media.noise, "still picture"),
)
ADDRESSES = (
    fetched("this machine", "http://127.0.0.1/", "not on the open internet"),
    fetched("the server itself", "http://127.0.0.1:8000/v1/models", "only 80, 443"),
    fetched("one number", "http://2130706433/", "four decimal numbers"),
    fetched("octal", "http://0177.0.0.1/", "four decimal numbers"),
    fetched("hexadecimal", "http://0x7f.1/", "four decimal numbers"),
    fetched("version 6", "http://[::1]/", "not on the open internet"),
    fetched("version 4 in version 6", "http://[::ffff:127.0.0.1]/", "IPv6"),
    fetched("a zone", "http://[fe80::1%25eth0]/", "IPv6"),
    fetched("a cloud's metadata", "http://169.254.169.254/latest/meta-data/", "not on the open internet"),
    fetched("a cloud's services", "http://168.63.129.16/", "not on the open internet"),
    fetched("a user", "http://open.example@127.0.0.1/", "names a user"),
    fetched("a backslash", "http://127.0.0.1\\@open.example/", "backslash"),
    fetched("letters like numbers", "http://①②⑦.⓪.⓪.①/", "ASCII"),
    fetched("a dot at the end", "http://open.example./x.png", "ends in a dot"),
    fetched("a line end", "http://open.example/\r\nHost: x", "control characters"),
    fetched("another port", "http://open.example:22/", "only 80, 443"),
    fetched("a name inside the house", "http://inside.example/", "not on the open internet"),
    fetched("a name of two addresses", "http://both.example/", "not on the open internet"),
    fetched("a redirect to metadata", "http://away.example/", "not on the open internet"),
    fetched("a redirect to a file", "http://file.example/", "its scheme is file"),
    fetched("a ring of redirects", "http://ring.example/", "redirects more than"),
    fetched("a name that changes", "http://changing.example/", "not on the open internet"),
    fetched("a compressed body", "http://gzip.example/", "compressed bodies are not opened"),
    fetched("a body without end", "http://endless.example/", "the most that is fetched"),
    fetched("a host that falls silent", "http://silent.example/", "within", within=30.0),
    fetched("a page instead of a picture", "http://page.example/", "not a picture"),
)
PATHS = (
    fetched("file:", "file:///etc/passwd", "names nothing here"),
    fetched("a path", "/proc/self/environ", "names nothing here"),
    fetched("a path upwards", "../../../../etc/passwd", "names nothing here"),
    fetched("a share", "\\\\evil.example\\share\\x.png", "names nothing here"),
    fetched("gopher:", "gopher://127.0.0.1:6379/_FLUSHALL", "names nothing here"),
    fetched("an upload's id upwards", "media:../../etc/passwd", "names nothing here"),
    Attack(
        "address: someone else's upload",
        400,
        "is not kept",
        lambda target: shown(f"media:{target.strange}")(target),
    ),
    Attack("path: the page's files upwards", 404, "", asked("/page/../../../../etc/passwd")),
    Attack("path: upwards in per cents", 404, "", asked("/page/%2e%2e%2f%2e%2e%2fetc%2fpasswd")),
)
