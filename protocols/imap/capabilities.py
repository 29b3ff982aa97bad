"""What the server announces. RFC 9051 §6.1.1, §7.2.2."""

from protocols.imap.quirks import shown
from protocols.imap.session import Circumstances, Session
from protocols.sasl import offered

ALWAYS = (
    "IMAP4rev2",  # RFC 9051
    "IMAP4rev1",  # RFC 3501
    "LITERAL+",  # RFC 7888
    "SASL-IR",  # RFC 4959
    "ID",  # RFC 2971
    "ENABLE",  # RFC 5161
    "IDLE",  # RFC 2177
    "LANGUAGE",  # RFC 5255 §3.1: in the greeting too
)
AFTER_LOGIN = (
    "NAMESPACE",  # RFC 2342
    "UIDPLUS",  # RFC 4315
    "UNSELECT",  # RFC 3691
    "MOVE",  # RFC 6851
    "CHILDREN",  # RFC 3348
    "LIST-EXTENDED",  # RFC 5258
    "XLIST",  # Gmail's; no RFC
    "LIST-STATUS",  # RFC 5819
    "SPECIAL-USE",  # RFC 6154
    "CREATE-SPECIAL-USE",  # RFC 6154
    "CONDSTORE",  # RFC 7162
    "QRESYNC",  # RFC 7162
    "UIDONLY",  # RFC 9586
    "NOTIFY",  # RFC 5465
    "ESEARCH",  # RFC 4731
    "SEARCHRES",  # RFC 5182
    "STATUS=SIZE",  # RFC 8438
    "MULTIAPPEND",  # RFC 3502
    "BINARY",  # RFC 3516
    "UTF8=ACCEPT",  # RFC 6855
    "OBJECTID",  # RFC 8474
    "SAVEDATE",  # RFC 8514
    "PREVIEW",  # RFC 8970
    "ACL",  # RFC 4314
    "RIGHTS=kxte",  # RFC 4314 §5.1.1
    "QUOTA",  # RFC 9208
    "QUOTASET",
    "QUOTA=RES-STORAGE",
    "QUOTA=RES-MESSAGE",
    "METADATA",  # RFC 5464
    "METADATA-SERVER",  # RFC 5464 §1
    "FILTERS",  # RFC 5466
    "LIST-MYRIGHTS",  # RFC 8440
    "LIST-METADATA",  # RFC 9590
    "WITHIN",  # RFC 5032
    "I18NLEVEL=1",  # RFC 5255 §4.3
    "SORT",  # RFC 5256
    "SORT=DISPLAY",  # RFC 5957
    "ESORT",  # RFC 5267
    "THREAD=ORDEREDSUBJECT",  # RFC 5256
    "THREAD=REFERENCES",  # RFC 5256
    "THREAD=REFS",  # draft-ietf-morg-inthread
    "PARTIAL",  # RFC 9394
    "CONTEXT=SEARCH",  # RFC 5267
    "CONTEXT=SORT",  # RFC 5267
    "MULTISEARCH",  # RFC 7377
    "SEARCH=FUZZY",  # RFC 6203
    "COMPRESS=DEFLATE",  # RFC 4978
    "CATENATE",  # RFC 4469
    "URL-PARTIAL",  # RFC 5550
    "REPLACE",  # RFC 8508
    "INPROGRESS",  # RFC 9585
    "URLAUTH",  # RFC 4467
)


def capabilities(session: Session) -> tuple[str, ...]:
    """Return what is true of this connection, but for what is hidden from it."""
    names = _all(session)
    return shown(names, session.hidden) if session.hidden else names


def _all(session: Session) -> tuple[str, ...]:
    at = session.at
    if session.login is not None:
        more = ("UNAUTHENTICATE",) if at.may_log_out else ()  # RFC 8437
        limit = f"APPENDLIMIT={at.max_message}"  # RFC 7889
        return (*ALWAYS, *AFTER_LOGIN, *more, limit, *_limits(at))
    starttls = ("STARTTLS",) if at.offers_starttls else ()
    if at.may_log_in:
        return (*ALWAYS, *starttls, *(f"AUTH={name}" for name in offered(at.sasl)))
    return (*ALWAYS, *starttls, "LOGINDISABLED")


def _limits(at: Circumstances) -> tuple[str, ...]:
    """RFC 9738 §3: one or the other."""
    if at.message_limit:
        return (f"MESSAGELIMIT={at.message_limit}",)
    return (f"SAVELIMIT={at.save_limit}",) if at.save_limit else ()
