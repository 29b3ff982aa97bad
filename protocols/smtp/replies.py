"""What the server says, each with its enhanced status code. RFC 5321 §4.2, RFC 3463."""

import re

OK = "250 2.0.0 OK"
SENDER_OK = "250 2.1.0 OK"
RECIPIENT_OK = "250 2.1.5 OK"
ACCEPTED = "250 2.0.0 Message accepted"
HELD_FOR_NOW = "250 2.0.0 Message accepted, held until its time"
GO_AHEAD = "354 End data with <CR><LF>.<CR><LF>"
GOODBYE = "221 2.0.0 Goodbye"
VRFY = "252 2.5.0 Send some mail, I'll try my best"
READY_FOR_TLS = "220 2.0.0 Ready to start TLS"
LOGGED_IN = "235 2.7.0 Authentication successful"

STOPPING = "421 4.3.2 The server is stopping"
TIMEOUT = "421 4.4.2 Timeout"
TOO_MANY_ERRORS = "421 4.7.0 Too many errors"
TOO_MANY_GUESSES = "421 4.7.0 Too many recipients that do not exist"
TOO_MANY_COMMANDS = "421 4.7.0 Too many commands without a message"
TOO_MANY_MESSAGES = "421 4.7.0 Too many messages in one connection"
TRY_LATER = "451 4.3.0 Something went wrong here, try again later"
NO_ROOM = "452 4.3.1 No room here for a message now, try again later"
MAILBOX_FULL = "452 4.2.2 The mailbox is full"
TOO_MANY_RECIPIENTS = "452 4.5.3 Too many recipients"
COME_AGAIN = "451 4.7.1 We do not know you yet, come again in some minutes"
SLOW_DOWN = "451 4.7.1 Too many messages from you, try again later"
NO_TLS = "454 4.7.0 TLS not available"
LOGIN_TRY_LATER = "454 4.7.0 Temporary authentication failure"

LOGIN_ENDED = "421 4.7.0 This login is not valid any more"
LINE_TOO_LONG = "500 5.5.6 Line too long"
UNKNOWN_COMMAND = "500 5.5.1 Command not recognized"
NOT_UTF8 = "500 5.5.2 Not UTF-8"
NO_ARGUMENT = "501 5.5.4 No argument wanted"
BAD_CHUNK = "501 5.5.4 Syntax: BDAT size [LAST]"
BAD_XCLIENT = "501 5.5.4 Bad XCLIENT attribute"
HELD_TOO_LONG = "501 5.5.4 It cannot be held for so long"
NOT_IMPLEMENTED = "502 5.5.1 Command not implemented"
BAD_SIZE = "501 5.5.4 SIZE is not a number"
BAD_PARAMETER = "501 5.5.4 Bad parameter"
BAD_SASL = "501 5.5.2 Cannot decode the response"
SASL_ABORTED = "501 5.7.0 Authentication aborted"
NEED_HELO = "503 5.5.1 Say hello first"
NEED_MAIL = "503 5.5.1 Need MAIL first"
NEED_RCPT = "503 5.5.1 Need RCPT first"
ONE_MAIL = "503 5.5.1 MAIL was given already"
CHUNKS_BEGUN = "503 5.5.1 BDAT was begun, go on with BDAT or say RSET"
CHUNKS_FAILED = "503 5.5.1 A BDAT failed, say RSET"
ONLY_BDAT = "503 5.5.1 BODY=BINARYMIME wants BDAT"
ALREADY_TLS = "503 5.5.1 TLS is on already"
ALREADY_LOGGED_IN = "503 5.5.1 Logged in already"
NOT_IN_MAIL = "503 5.5.1 Not inside a mail transaction"
UNKNOWN_MECHANISM = "504 5.5.4 Unknown authentication mechanism"
LOGIN_FIRST = "530 5.7.0 Authentication required"
TLS_FIRST = "530 5.7.0 Must issue a STARTTLS command first"
WRONG_CREDENTIALS = "535 5.7.8 Wrong login or password"
LOGIN_NOT_ALLOWED = "535 5.7.8 This login is not allowed here"
LOGIN_WANTS_TLS = "538 5.7.11 Encryption required"
NO_SUCH_MAILBOX = "550 5.1.1 No such mailbox here"
NO_RELAY = "550 5.7.1 Relaying denied"
NOT_YOUR_ADDRESS = "550 5.7.1 This sender address is not yours"
NOT_TRUSTED = "550 5.7.0 You may not speak for others"
NO_BINARY_OUT = "550 5.6.1 BODY=BINARYMIME cannot be sent on from here"
BARE_LINE_ENDS = "550 5.6.11 Bare CR or LF in the message"
HEADER_TOO_LONG = "552 5.3.4 The header is too long"
OVER_QUOTA = "552 5.2.2 The mailbox does not hold so much"
TOO_BIG_TO_WAIT = "421 4.3.4 Message too big, the rest is not waited for"
TOO_BIG = "552 5.3.4 Message too big"
NEED_SMTPUTF8 = "553 5.6.7 This address needs SMTPUTF8"
BAD_ADDRESS = "553 5.1.3 Malformed address"
UNKNOWN_PARAMETER = "555 5.5.4 Parameter not recognized"

# For what aiosmtpd says itself, which has none. RFC 2034 §4: not in greetings.
_DEFAULTS = {
    "221": "2.0.0",
    "250": "2.0.0",
    "252": "2.5.0",
    "500": "5.5.2",
    "501": "5.5.4",
    "502": "5.5.1",
    "503": "5.5.1",
    "504": "5.5.4",
}
_PLAIN = re.compile(r"(\d{3})([ -])(?!\d\.\d{1,3}\.\d{1,3} )")


def enhanced(reply: str) -> str:
    """Return the reply with a status code, if it is of a kind that wants one."""
    match = _PLAIN.match(reply)
    code = match and _DEFAULTS.get(match[1])
    if not match or not code:
        return reply
    return f"{match[1]}{match[2]}{code} {reply[4:]}"
