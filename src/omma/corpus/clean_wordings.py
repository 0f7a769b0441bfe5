"""The irregular patterns, each with its name, its form and an example: no captions, and pieces to cut out.

The forms take no notice of case but where they say so. Each takes time in proportion to the text: what may
repeat is possessive, and what may stand anywhere begins with a letter or mark that is rare.
"""

from __future__ import annotations

_FILE = (
    "jpe?g|jfif|png|gif|bmp|tiff?|webp|heic|avif|svg|psd|raw|cr2|nef|arw|dng|pdf|mp4|mov|avi|webm|wmv"
    "|docx?|pptx?"
)
_PICTURE = "image|photo|photograph|picture|pic|img|illustration"
_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    "|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_DAY = "mon(?:day)?|tue(?:s|sday)?|wed(?:nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?"
_MAKER = (
    "canon|nikon|sony|olympus|fuji(?:film)?|panasonic|kodak|leica|pentax|casio|minolta|hasselblad|sigma|ricoh"
    "|gopro|dji|samsung|apple|iphone|huawei|xiaomi"
)
_GEAR = (
    "digital|still|camera|eos|powershot|coolpix|finepix|lumix|cyber-?shot|easyshare|stylus|exilim|alpha|mark"
    r"|i{1,3}v?|pro|max|plus|mini|kit|lens|exposure|shutter|aperture|flash|sec|s|mm|at|f/?\d[\d.]*+|iso\d*+"
    r"|1/\d++s?|[a-z]{0,5}-?\d[\d.]*+[a-z]{0,4}"
)
_CAMERA_FILE = (
    "img|dsc[nf_]?|_?dsc|pict|mvi|gopr|dji|pxl|wp|sam|hpim|cimg|imgp|kif|p|screen[ _-]?shot|image|photo"
    "|picture|pic|scan|untitled|unnamed|download|file|foto|bild|slide|figure|fig|图片?|照片|截图"
)
_STANDARD = (
    r"(?:no|missing|broken|default|placeholder) (?:image|photo|picture|preview|thumbnail|title|alt text)"
    r"(?: (?:available|found|provided|yet))?",
    r"(?:image|photo|picture|preview|thumbnail|description) (?:is )?(?:currently )?(?:not|un)[ -]?"
    r"(?:available|found|loaded|supported)",
    r"(?:image|photo|picture)? ?(?:coming soon|removed|deleted|placeholder|loading)",
    r"(?:click|tap)(?: here| image| photo| on (?:the )?(?:image|photo|picture))?"
    r"(?: (?:to|for)(?: \w{1,12}){1,4})?",
    r"(?:add to (?:cart|wishlist|favou?rites)|(?:read|learn|see) more|view (?:all|more|details|gallery))",
    r"(?:share|follow us|like us|join us)(?: (?:this|on|via))+ \w{1,15}",
    r"(?:previous|next|back|home|menu|search|close|play|pause|logo|icon|banner|avatar|thumbnail|untitled|image"
    r"|photo|picture|alt(?:ernative)? text|unnamed|unknown)(?: (?:image|photo|picture|slide|page|button))?",
    r"(?:profile|cover|header|featured|main|product|article|post|blog|stock)"
    r" (?:image|photo|picture|thumbnail)",
    r"(?:403 forbidden|404(?: error)?(?: page)?(?: not found)?|page not found|access denied|sign in|log ?in)",
    r"lorem ipsum.{0,1000}+",
    r"(?:this|the) (?:image|photo|picture) (?:has|was) (?:been )?(?:removed|deleted)(?: by .{1,60}+)?",
    r"(?:暂无图片|图片加载失败|图片加载中|点击查看大图|点击放大|查看大图|加载中|无标题|未命名|占位图|缩略图)",
)

WHOLE: tuple[tuple[str, str, str], ...] = (
    ("numbers and signs", r"[\W\d_]++", "0049 - 1128 / 7"),
    ("a file name", rf"\S*\.(?:{_FILE})", "sunset_harbour-1024x768.jpg"),
    (
        "a camera's file name",
        rf"(?:{_CAMERA_FILE})[ _#.-]{{0,3}}\d[\d _().:-]*+(?:at [\d.: ]++(?:[ap]m)?)?",
        "IMG_20190412_183204",
    ),
    (
        "a date or time",
        r"(?=[^\d]*+\d)(?:(?:"
        rf"{_MONTH}|{_DAY}|\d{{1,4}}(?:st|nd|rd|th)?|[ap]\.?m|of|at|the|utc|gmt|est|pst|taken|on"
        r"|posted|published|date)(?:[\s,./:|()年月日号时分秒–-]++|\Z))++",
        "Saturday, 12th of May 2018 at 10:45 pm",
    ),
    (
        "a camera's name and settings",
        rf"(?=.*?\b(?:{_MAKER}|camera|iso|f/\d))(?:(?:{_MAKER}|{_GEAR})(?:[\s,;/|:+&()–-]++|\Z))++",
        "Canon EOS 5D Mark III, f/2.8, 1/200s, ISO 400",
    ),
    ("an identifier", r"(?=\D*+\d)[a-z0-9_#.:-]{6,}+", "7f3c9a1e-44b0-4d12"),
    (
        "a piece of a program",
        r"[\[{] ?\".*+|[.#@]?[a-z][\w.#-]{0,60}+ ?\{[^{}:]*+:[^{}]*+\}.*+|function ?\w*+\(.*+"
        r"|(?:var|const) \w++ ?=.*+",
        '{"alt": "a red car", "id": 3}',
    ),
    ("hashtags", r"(?:#[\w&]++[\s,]*+)++", "#sunset #travel #nofilter"),
    ("a stock phrase", "|".join(f"(?:{form})" for form in _STANDARD), "Click here to view larger image"),
)

CUT: tuple[tuple[str, str, str], ...] = (
    (
        "an address",
        r"\b(?:https?|ftp)://[^\s<>\"\[\])]++|\bwww\.[^\s<>\"\[\])]++",
        "A barn owl at dusk https://a.example/o",
    ),
    (
        "a mail address",
        r"(?<![\w.+-])[\w.+-]++@[a-z0-9-]++(?:\.[a-z0-9-]++)++",
        "A scarf of grey wool, anna@scarves.example",
    ),
    (
        "a site's name",
        r"(?<![\w.@-])(?:[a-z0-9-]++\.){1,4}(?:com|net|org|info|biz|co\.uk|com\.cn|com\.au)\b(?:/\S*+)?",
        "Oak table with four chairs | furniture-deals.com",
    ),
    ("a handle", r"(?:\b(?:by|via) )?(?<![\w@.])@[a-z0-9_]{2,30}+\b", "Sunrise over the bay by @shutterbird"),
    ("a file's ending", rf"(?<=[^\W_])\.(?:{_FILE})\Z", "Two foxes in the snow.jpg"),
    (
        "a counter",
        rf"\(?\b(?:{_PICTURE}|slide|page) #?\d{{1,4}} ?(?:of|/) ?\d{{1,4}}\b\)?|第 ?\d{{1,3}} ?张",
        "Red brick house with a porch - Image 3 of 12",
    ),
    (
        "an invitation",
        r"[(\[]?\b(?:click|tap)(?: here| on)?(?: the)?(?: (?:image|photo|picture))? (?:to|for)(?: a)?"
        r" (?:enlarge|zoom|expand|view|see|full|large|larger|download)(?: (?:size|version|image|photo|picture"
        r"|larger|full|it|more|in))*+[)\]]?|\(opens in (?:a )?new (?:window|tab)\)"
        r"|点击(?:查看大图|放大|图片)",
        "Hand-made oak bowl (click to enlarge)",
    ),
    (
        "a stock site's words",
        rf"\b(?:royalty[ -]free )?stock (?:{_PICTURE}|photography|vector|video|footage|clip ?art)s?"
        r"(?: #?\d{1,12})?\W{0,3}\Z",
        "Elderly couple walking on the beach - Stock Photo 48211",
    ),
    (
        "a site's mark",
        r"(?:[|–—-] ?|, |\()(?:getty images|shutterstock|alamy|istock(?:photo)?|dreamstime|depositphotos"
        r"|123rf|adobe stock|flickr|pinterest|wikipedia|wikimedia commons|youtube|facebook|instagram|twitter"
        r"|reddit|ebay|etsy|amazon|walmart|tripadvisor|imgur|tumblr)\W{0,3}\Z",
        "A heron stands in shallow water | Getty Images",
    ),
    (
        "a credit",
        rf"\(?\b(?:{_PICTURE})s? ?(?:credits?|courtesy)(?: of| by)? ?:? [^.|]{{1,60}}+\Z"
        rf"|\(?\b(?:{_PICTURE})s? by:? (?-i:[A-Z])[^.|]{{0,60}}+\Z"
        r"|[(\uff08 ]?(?:摄影|图片来源|图)[:\uff1a] ?\S{1,20}\Z",
        "A steam train leaves the station. Photo credit: Jo Marsh",
    ),
    (
        "a claim of rights",
        r"(?:(?:\bcopyright )?(?:©|\(c\)) ?(?:\d{4}|(?-i:[A-Z]))|\bcopyright,? \d{4})[^.|]{0,60}+"
        r"(?:\. ?all rights reserved)?\.?\Z"
        r"|\ball rights reserved\b",
        "Wooden sailing boat at anchor © 2016 Harbour Press",
    ),
)
