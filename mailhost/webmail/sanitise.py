"""What of a stranger's HTML is shown: an allow-list of tags, attributes and CSS.

The second of three walls: the response's own Content-Security-Policy and the sandbox
of the frame (`policy`) hold without it. No script, form, frame, style sheet, id or
class passes; no URL but http, https, mailto, tel in links, and in pictures our own
part URLs, data: of raster formats and, where asked for, https.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import nh3

# Characters of HTML that are looked at; what is longer is shown cut.
MOST_HTML = 2_000_000
# Levels of open elements that are looked at: the tree builder is quadratic in depth.
MOST_DEPTH = 400


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TAGS = _words("""
    a abbr address article aside b bdi bdo big blockquote br caption center cite
    code col colgroup dd del dfn div dl dt em figcaption figure font footer h1
    h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p pre q rp rt
    ruby s samp section small span strike strong sub sup table tbody td tfoot th
    thead time tr tt u ul var wbr
""")
# Gone with all that is in them.
DROPPED = _words("""
    script style title template noscript noembed noframes iframe frame frameset
    object embed applet svg math textarea select option button audio video
    canvas xmp plaintext listing dialog portal
""")
_EVERYWHERE = {"style", "dir", "lang", "title", "align", "valign", "bgcolor", "width"}
ATTRIBUTES: dict[str, set[str]] = {
    "*": _EVERYWHERE | {"height"},
    "a": {"href"},
    "img": {"src", "alt", "border", "hspace", "vspace"},
    "font": {"color", "face", "size"},
    "table": {"border", "cellpadding", "cellspacing"},
    "td": {"colspan", "rowspan", "nowrap"},
    "th": {"colspan", "rowspan", "nowrap", "scope"},
    "col": {"span"},
    "colgroup": {"span"},
    "ol": {"start", "type"},
    "li": {"value"},
    "blockquote": {"type"},
    "time": {"datetime"},
}
# What could lay itself over the page or reach out is not here: position, z-index,
# content, cursor, behavior, transform, animation, filter, -moz-binding.
PROPERTIES = _words("""
    background background-color border border-bottom border-bottom-color
    border-bottom-left-radius border-bottom-right-radius border-bottom-style
    border-bottom-width border-collapse border-color border-left
    border-left-color border-left-style border-left-width border-radius
    border-right border-right-color border-right-style border-right-width
    border-spacing border-style border-top border-top-color
    border-top-left-radius border-top-right-radius border-top-style
    border-top-width border-width box-sizing caption-side clear color direction
    display empty-cells float font font-family font-size font-style font-variant
    font-weight height letter-spacing line-height list-style list-style-position
    list-style-type margin margin-bottom margin-left margin-right margin-top
    max-height max-width min-height min-width overflow overflow-wrap padding
    padding-bottom padding-left padding-right padding-top table-layout
    text-align text-decoration text-indent text-transform unicode-bidi
    vertical-align white-space width word-break word-spacing word-wrap
""")
# A value is words, numbers, colours and quoted font names; of functions only these.
# No backslash, no comment, no @, no url(.
CSS_VALUE = re.compile(r"[\w\s#%.,'\"+/!()-]{1,500}\Z")
CSS_FUNCTION = re.compile(r"([\w-]*)\(")
CSS_FUNCTIONS = frozenset(("rgb", "rgba", "hsl", "hsla", "calc"))

LINK = re.compile(r"(?:https?://|mailto:|tel:)[^\s\x00-\x1f]*\Z", re.IGNORECASE)
REMOTE = re.compile(r"(?:https?:)?//", re.IGNORECASE)
WEB = re.compile(r"https?://[^\s\x00-\x1f\"'<>\\]{1,1900}\Z", re.IGNORECASE)
DATA = re.compile(
    r"data:image/(?:png|gif|jpe?g|webp|bmp);base64,[A-Za-z0-9+/=\s]+\Z", re.IGNORECASE
)
CSS_REMOTE = re.compile(r"url\(\s*+[\"']?\s*+(?:https?:)?//", re.IGNORECASE)


Remote = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Clean:
    """HTML that may be shown, and whether pictures from elsewhere were left out."""

    html: str
    has_remote: bool


class _Filter:
    """Decides on the values of allowed attributes, and notes what it left out."""

    def __init__(self, parts: Mapping[str, str], remote: Remote | None) -> None:
        self.parts = parts
        self.remote = remote
        self.has_remote = False

    def __call__(self, tag: str, name: str, value: str) -> str | None:
        if name == "style":
            self.has_remote |= bool(CSS_REMOTE.search(value))
            return declarations(value)
        if name == "src":
            return self.picture(value.strip())
        if name == "href":
            return value.strip() if LINK.match(value.strip()) else None
        return value

    def picture(self, url: str) -> str | None:
        """Return where a picture may come from, or None."""
        if url[:4].lower() == "cid:":
            return self.parts.get(url[4:].strip().strip("<>"))
        if DATA.match(url):
            return url
        if not REMOTE.match(url):
            return None
        self.has_remote = True
        whole = f"https:{url}" if url.startswith("//") else url
        return self.remote(whole) if self.remote and WEB.match(whole) else None


def clean(html: str, parts: Mapping[str, str], remote: Remote | None = None) -> Clean:
    """Return what of `html` is safe to show.

    `parts` maps Content-IDs to the URLs that pictures in this message have; `remote`
    gives the URL of ours by which a picture elsewhere is shown. Never raises.
    """
    chosen = _Filter(parts, remote)
    cleaner = nh3.Cleaner(
        tags=set(TAGS),
        clean_content_tags=set(DROPPED),
        attributes=ATTRIBUTES,
        attribute_filter=chosen,
        strip_comments=True,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        url_schemes={"http", "https", "mailto", "tel", "data", "cid"},
        # Relative URLs end at the filter; what it returns may be relative: our own.
        url_relative="pass_through",
    )
    cleaned = cleaner.clean(shallow(html[:MOST_HTML]))
    return Clean(cleaned, chosen.has_remote)


def declarations(style: str) -> str | None:
    """Return the declarations of a style attribute that are allowed; None for none."""
    if "\\" in style or "/*" in style or "@" in style:
        return None
    kept = []
    for declaration in style.split(";")[:100]:
        name, colon, value = declaration.partition(":")
        name, value = name.strip().lower(), value.strip()
        if colon and name in PROPERTIES and _is_plain(value):
            kept.append(f"{name}:{value}")
    return ";".join(kept) or None


def _is_plain(value: str) -> bool:
    if not CSS_VALUE.match(value):
        return False
    called = CSS_FUNCTION.findall(value)
    return all(name.lower() in CSS_FUNCTIONS for name in called)


# Possessive: what is not a tag is given up at once, never tried again shorter.
TAG = re.compile(
    r"<(/?)([a-zA-Z][a-zA-Z0-9]*+)"
    r"""(?:[^<>"']++|"[^"]{0,256}+"|'[^']{0,256}+'|["'])*+>"""
)
VOID = _words("""
    area base br col embed hr img input link meta source wbr
""")


def shallow(html: str) -> str:
    """Return html without the tags that open more than MOST_DEPTH levels; linear.

    An end tag counts only where its element is open, and is dropped elsewhere.
    """
    if html.count("<") <= MOST_DEPTH:
        return html
    depth = 0
    opened: Counter[str] = Counter()

    def keep(match: re.Match[str]) -> str:
        nonlocal depth
        name = match[2].lower()
        if name in VOID:
            return match[0]
        if match[1]:
            if not opened[name]:
                return ""
            opened[name] -= 1
            depth -= 1
            return match[0]
        if depth >= MOST_DEPTH:
            return ""
        opened[name] += 1
        depth += 1
        return match[0]

    return TAG.sub(keep, html)
