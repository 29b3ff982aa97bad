"""Settings: the only module that reads the environment.

A setting comes from the environment or from the file `.env` beside manage.py (the
environment wins). Its comment is its documentation: unit, default, effect;
docs/settings.md is made from these comments by `manage.py settingsdoc`.
A wrong one stops the start with one sentence.
"""

import os
from pathlib import Path
from typing import Any

import environ

from mailhost.environment import Misconfigured, Reader
from mailhost.secretkey import secret_key
from mailhost.staticversion import version

BASE_DIR = Path(__file__).resolve().parent.parent
environ.Env.read_env(BASE_DIR / ".env")
env = environ.Env()
read = Reader(environ.Env.ENVIRON)

# ## Place and name

# Directory of everything that is kept: database, certificate, keys. Path.
# Default: `var` beside manage.py.
MAILHOST_DATA_DIR = Path(read.text("MAILHOST_DATA_DIR", str(BASE_DIR / "var")))

# Host name of this server, as other servers and clients know it: greeting, EHLO,
# Received, Message-ID, the self-signed certificate. Default: localhost.
MAILHOST_HOSTNAME = read.host("MAILHOST_HOSTNAME", "localhost")

# Where the rows are: a URL such as `postgres://user:password@host/name`, or
# `sqlite:////path/to/file`. Default: the SQLite file mailhost.sqlite3 in
# MAILHOST_DATA_DIR, good for one machine.
DATABASE_URL = read.url("DATABASE_URL", ("postgres", "postgresql", "sqlite"))

# Most connections one process keeps open to PostgreSQL. Number, default 16.
MAILHOST_DATABASE_POOL = read.number("MAILHOST_DATABASE_POOL", 16, 2, 1000)

# Signs sessions and keys the look-up of app passwords: with a new one everybody logs
# in again and app passwords are void. Text of 32 characters or more.
# Default: made on first start, kept in MAILHOST_DATA_DIR/secret-key.
SECRET_KEY = secret_key(read.raw("SECRET_KEY"), MAILHOST_DATA_DIR)

# Shows stack traces to browsers: for work on mailhost itself. yes or no, default no.
DEBUG = read.switch("DEBUG", default=False)

# Language of people who have not chosen one and whose browsers ask for none we have:
# en, ar, de, es, fr, it or nl. Default en.
MAILHOST_LANGUAGE = read.choice(
    "MAILHOST_LANGUAGE", ("en", "ar", "de", "es", "fr", "it", "nl")
)

# Time zone of people who have not chosen one: its IANA name, such as Europe/Berlin.
# Default UTC.
MAILHOST_TIME_ZONE = read.zone("MAILHOST_TIME_ZONE", "UTC")

# ## Listening

# Addresses the mail servers bind to. IP addresses, commas between; `0.0.0.0,::` for
# all. Default 127.0.0.1: this machine only.
MAILHOST_LISTEN = read.addresses("MAILHOST_LISTEN", "127.0.0.1")

# Added to every standard mail port (25, 143, …), so that no root is needed. Number;
# default 1000, for production 0.
MAILHOST_PORT_OFFSET = read.number("MAILHOST_PORT_OFFSET", 1000, 0, 60000)

# Address the web server binds to. IP address, default 127.0.0.1.
MAILHOST_WEB_ADDRESS = read.addresses("MAILHOST_WEB_ADDRESS", "127.0.0.1")[0]

# TCP port of the web server; MAILHOST_PORT_OFFSET does not change it. Default 8000.
MAILHOST_WEB_PORT = read.number("MAILHOST_WEB_PORT", 8000, 1, 65535)

# The web is reached by https:// only (a proxy in front does TLS): cookies become
# Secure, browsers are told to stay with TLS. yes or no, default no.
MAILHOST_WEB_HTTPS = read.switch("MAILHOST_WEB_HTTPS", default=False)

# TCP port on which the web is served with TLS by this server itself, on the addresses
# of MAILHOST_LISTEN, with the certificates of the mail servers; 443 for who has no
# proxy in front. Default 0: none.
MAILHOST_WEB_TLS_PORT = read.number("MAILHOST_WEB_TLS_PORT", 0, 0, 65535)

# TCP port of a small server for plain HTTP, on the addresses of MAILHOST_LISTEN: it
# answers what an authority asks before it issues a certificate (ACME), and sends
# browsers on to https:// where MAILHOST_WEB_HTTPS is on; nothing else. 80 for who has
# no proxy there. Default 0: none.
MAILHOST_HTTP_PORT = read.number("MAILHOST_HTTP_PORT", 0, 0, 65535)

# Proxies whose word on a client's address is believed (X-Forwarded-For, PROXY,
# XCLIENT). IP networks, commas between. Default: none, not even this machine.
MAILHOST_TRUSTED_PROXIES = read.networks("MAILHOST_TRUSTED_PROXIES")

# Host names browsers may use for the web, commas between. Default: none beside
# MAILHOST_HOSTNAME and the names of this machine itself.
MAILHOST_WEB_HOSTS = read.words("MAILHOST_WEB_HOSTS")

# Name under which mail programs reach this host: what autoconfiguration tells them.
# Host name, default MAILHOST_HOSTNAME.
MAILHOST_CLIENT_HOST = read.host("MAILHOST_CLIENT_HOST", MAILHOST_HOSTNAME)

# What autoconfiguration (Thunderbird's, Outlook's, Apple's, SRV records) tells mail
# programs of, best first: imaps, imap, pop3s, pop3, submissions, submission, commas
# between. Without an IMAP or POP3 and a submission service nothing is told.
# Default imaps,submissions,pop3s,submission.
MAILHOST_CLIENT_SERVICES = read.some(
    "MAILHOST_CLIENT_SERVICES",
    ("imaps", "submissions", "pop3s", "submission", "imap", "pop3"),
    "imaps,submissions,pop3s,submission",
)

# Worker processes of the mail servers. Number; default 0: one for each core.
MAILHOST_WORKERS = read.number("MAILHOST_WORKERS", 0, 0, 512) or os.cpu_count() or 1

# Seconds that open sessions get to finish when the server stops. Default 5.
MAILHOST_DRAIN_SECONDS = read.number("MAILHOST_DRAIN_SECONDS", 5, 0, 3600)

# ## TLS

# File with the certificate chain, PEM. Default: a self-signed one is made on first
# start and kept in MAILHOST_DATA_DIR. Goes together with MAILHOST_CERTIFICATE_KEY.
MAILHOST_CERTIFICATE = read.file("MAILHOST_CERTIFICATE")

# File with the private key of MAILHOST_CERTIFICATE, PEM. Default: none.
MAILHOST_CERTIFICATE_KEY = read.file("MAILHOST_CERTIFICATE_KEY")

# Lets clients off this machine send passwords without TLS. yes or no, default no.
# From the machine itself it is always allowed.
MAILHOST_ALLOW_PLAINTEXT_LOGIN = read.switch(
    "MAILHOST_ALLOW_PLAINTEXT_LOGIN", default=False
)

# Directory of more certificates, for servers with many names: pairs of `NAME.pem` and
# `NAME.key`, or directories with `fullchain.pem` and `privkey.pem`. The one whose names
# (also `*.example.org`) hold what the client asks for is shown; else
# MAILHOST_CERTIFICATE. Looked at again when files change. Default: none.
MAILHOST_CERTIFICATES_DIR = read.directory("MAILHOST_CERTIFICATES_DIR")

# File with the certificates (PEM) of those whose client certificates log in (SASL
# EXTERNAL, all ports but 25): an e-mail address in the certificate is the login.
# Default: none; no client is asked for one.
MAILHOST_CLIENT_CA = read.file("MAILHOST_CLIENT_CA")

# ## Certificates by ACME

# Directory URL of the authority that issues and renews our certificates by itself
# (ACME, RFC 8555), `https://acme-v02.api.letsencrypt.org/directory` for example. It
# asks this server by plain HTTP at port 80 of each name: MAILHOST_HTTP_PORT, or a proxy
# in front that passes `/.well-known/acme-challenge/` on. Default: none; certificates
# come from files.
MAILHOST_ACME_DIRECTORY = read.url("MAILHOST_ACME_DIRECTORY", ("https", "http"))

# Whether you agree to the authority's terms of service, on behalf of this server. yes
# or no, default no; an authority that has terms issues nothing without. `manage.py
# certificates` says where they are.
MAILHOST_ACME_AGREE_TERMS = read.switch("MAILHOST_ACME_AGREE_TERMS", default=False)

# E-mail address the authority may write to, about certificates that end. Default: none.
MAILHOST_ACME_CONTACT = read.text("MAILHOST_ACME_CONTACT")

# More names that get a certificate, beside MAILHOST_HOSTNAME (where
# MAILHOST_CERTIFICATE is not set) and the names of MTA-STS policies: host names, commas
# between, such as `imap.example.org,webmail.example.org`. Each has one of its own,
# shown to who asks for that name. Default: none.
MAILHOST_ACME_NAMES = read.hosts("MAILHOST_ACME_NAMES")

# Labels that get a certificate in front of each of our domains, commas between:
# `autoconfig,autodiscover` for mail programs that configure themselves. Each name must
# lead here. Default: none.
MAILHOST_ACME_LABELS = read.hosts("MAILHOST_ACME_LABELS")

# Key identifier of the account that the authority knows you by (external account
# binding), where it wants one. Goes together with MAILHOST_ACME_EAB_KEY. Default: none.
MAILHOST_ACME_EAB_ID = read.text("MAILHOST_ACME_EAB_ID")

# The secret that goes with it, base64url as the authority shows it. Default: none.
MAILHOST_ACME_EAB_KEY = read.secret("MAILHOST_ACME_EAB_KEY")

# Authority that `manage.py certificates --dry-run` asks; nothing of what it issues is
# kept. Default: the staging environment of Let's Encrypt.
MAILHOST_ACME_STAGING = read.url("MAILHOST_ACME_STAGING", ("https", "http")) or (
    "https://acme-staging-v02.api.letsencrypt.org/directory"
)

# File with the authorities whose certificates are believed when the ACME server is
# asked, PEM: for one of your own. Default: the public ones.
MAILHOST_ACME_CA_FILE = read.file("MAILHOST_ACME_CA_FILE")

# ## Signing in

# More of Django's authentication backends, asked when our own does not know a password:
# `django_auth_ldap.backend.LDAPBackend` for example. Dotted names, commas between.
# Their own settings stand in MAILHOST_EXTRA_SETTINGS. Default: none.
MAILHOST_AUTHENTICATION_BACKENDS = read.words("MAILHOST_AUTHENTICATION_BACKENDS")

# Python file that is run at the end of the settings, for those of other packages
# (AUTH_LDAP_SERVER_URI = "ldaps://…"). Path, default: none.
MAILHOST_EXTRA_SETTINGS = read.file("MAILHOST_EXTRA_SETTINGS")

# Whether mail programs must use app passwords or tokens, everybody's; a user's own
# password then opens the web alone. yes or no, default no; users and domains have the
# same switch ("needs a second factor").
MAILHOST_APP_PASSWORDS_ONLY = read.switch("MAILHOST_APP_PASSWORDS_ONLY", default=False)

# Whether SCRAM works with users' own passwords. `no`; `collect`: keys are made at each
# login and change of password, and SCRAM is not announced yet; `yes`. Default no: who
# steals the keys tries passwords faster than with Argon2. App passwords always have
# keys. SCRAM is announced with `yes`, or where MAILHOST_APP_PASSWORDS_ONLY is on.
MAILHOST_SCRAM_MAIN_PASSWORDS = read.choice(
    "MAILHOST_SCRAM_MAIN_PASSWORDS", ("no", "collect", "yes")
)

# Whether SCRAM-SHA-1 is there beside SCRAM-SHA-256, for old programs. yes or no,
# default no.
MAILHOST_SCRAM_SHA1 = read.switch("MAILHOST_SCRAM_SHA1", default=False)

# Whether access tokens that this server issued are taken (OAUTHBEARER, XOAUTH2). yes
# or no, default no.
MAILHOST_ACCESS_TOKENS = read.switch("MAILHOST_ACCESS_TOKENS", default=False)

# Provider whose access tokens (JWT) are taken: the `iss` they must have. A token
# belongs to who has an external identity of its iss and sub in the admin. Its `scope`
# must hold mail.imap, mail.pop, mail.smtp or mail.sieve. Default: none.
MAILHOST_OAUTH_ISSUER = read.text("MAILHOST_OAUTH_ISSUER")

# What the `aud` of these tokens must be or hold. Text; wanted with an issuer.
MAILHOST_OAUTH_AUDIENCE = read.text("MAILHOST_OAUTH_AUDIENCE")

# Keys of that provider, a JWK set: a file, or an https:// URL that is asked when they
# are five minutes old. Wanted with an issuer.
MAILHOST_OAUTH_KEYS = read.text("MAILHOST_OAUTH_KEYS")

# Signatures that are taken, commas between. Default RS256,ES256,EdDSA; never none, and
# never HS256 and its like, which would make of a public key a secret.
MAILHOST_OAUTH_ALGORITHMS = read.words("MAILHOST_OAUTH_ALGORITHMS", "RS256,ES256,EdDSA")

# File with the RSA key, PEM, that signs ID tokens of this host as an OpenID provider.
# Default: made on first use, kept in MAILHOST_DATA_DIR/oidc-key.pem; several hosts over
# one database need one and the same.
MAILHOST_OIDC_KEY = read.file("MAILHOST_OIDC_KEY")

# ## Limits

# Connections one worker process holds. Number, default 20000; more are refused.
MAILHOST_MAX_CONNECTIONS = read.number("MAILHOST_MAX_CONNECTIONS", 20_000, 1)

# Connections one worker holds from one address. Number, default 1000.
MAILHOST_MAX_CONNECTIONS_PER_ADDRESS = read.number(
    "MAILHOST_MAX_CONNECTIONS_PER_ADDRESS", 1000, 1
)

# Seconds a client may take to log in. Default 60; then the connection ends.
MAILHOST_LOGIN_TIMEOUT_SECONDS = read.number("MAILHOST_LOGIN_TIMEOUT_SECONDS", 60, 1)

# Failed logins from one address for one login that cost nothing; five times as many for
# all logins from that address or for one login from everywhere, twenty-five times as
# many from its network (/24, /64). Each one more doubles the time until the next
# is looked at, up to fifteen minutes; an hour without any starts over. App passwords,
# tokens, and addresses a user is known from are let in all the same. This machine
# itself is not counted. Number, default 20; 0: no limit.
MAILHOST_LOGIN_FAILURES = read.number("MAILHOST_LOGIN_FAILURES", 20)

# Seconds a logged-in client may be silent. Default 1800, the least that IMAP allows
# (RFC 9051 §5.4); POP3 allows 600.
MAILHOST_IDLE_TIMEOUT_SECONDS = read.number("MAILHOST_IDLE_TIMEOUT_SECONDS", 1800, 1)

# Largest message taken by any protocol, octets. Default 52428800 (50 MiB).
MAILHOST_MAX_MESSAGE_BYTES = read.number(
    "MAILHOST_MAX_MESSAGE_BYTES", 50 * 1024 * 1024, 65_536
)

# Memory of each process for messages while they arrive and are delivered, MiB. Default
# 256: half of it for what arrives, which waits in files beyond that; half for those
# over 256 KB that are being delivered, which take turns.
MAILHOST_ARRIVING_MB = read.number("MAILHOST_ARRIVING_MB", 256, 16)

# Messages one SMTP connection may bring, refused ones too; then it ends. Number,
# default 10000; 0: no limit.
MAILHOST_MAX_TRANSACTIONS = read.number("MAILHOST_MAX_TRANSACTIONS", 10_000)

# Recipients of one message. Number, default 1000; RFC 5321 §4.5.3.1.8 wants 100.
MAILHOST_MAX_RECIPIENTS = read.number("MAILHOST_MAX_RECIPIENTS", 1000, 100)

# Octets an account may hold when neither it nor its domain says so. Default 0: no
# limit.
MAILHOST_DEFAULT_QUOTA_BYTES = read.number("MAILHOST_DEFAULT_QUOTA_BYTES", 0)

# Whether folders may be shared with everybody who can log in here (SETACL … anyone).
# yes or no, default no: rights go to users and groups; those given to anyone rest.
MAILHOST_SHARE_WITH_ANYONE = read.switch("MAILHOST_SHARE_WITH_ANYONE", default=False)

# Longest IMAP command line without its literals, octets. Default 65536; a longer one
# ends the connection, since nothing after it can be trusted.
IMAP_MAX_LINE = read.number("IMAP_MAX_LINE", 65_536, 8192)

# Literals of one IMAP command together, octets; APPEND has its own limit,
# MAILHOST_MAX_MESSAGE_BYTES. Default 1048576 (1 MiB).
IMAP_MAX_LITERALS = read.number("IMAP_MAX_LITERALS", 1_048_576, 8192)

# Whether APPEND refuses a message with 8-bit header fields from a client that did not
# enable UTF8=ACCEPT or IMAP4rev2, as RFC 6855 §4 says. Default false: old mail has such
# headers, and the programs that copy it here know neither.
IMAP_REFUSE_RAW_HEADERS = read.switch("IMAP_REFUSE_RAW_HEADERS", default=False)

# Mailboxes that one IMAP session may have watched by NOTIFY: all those of the accounts
# that it asks about. Default 20000; beyond, NOTIFY is refused or ends, and says so.
IMAP_NOTIFY_MAILBOXES = read.number("IMAP_NOTIFY_MAILBOXES", 20_000, 100)

# Whether IMAP clients may log out and in again on one connection (UNAUTHENTICATE, RFC
# 8437). yes or no, default yes. Say no where a proxy in front checks the first login
# only and then lets everything through.
IMAP_UNAUTHENTICATE = read.switch("IMAP_UNAUTHENTICATE", default=True)

# Messages that one IMAP command works on (MESSAGELIMIT, RFC 9738): the newest come
# first, the rest is left to the next command. Default 1000000; 0: any number, and
# nothing is announced. Programs that do not know the limit take what they get for all
# there is, so set it above the largest folders, never under 1000.
IMAP_MESSAGE_LIMIT = read.number("IMAP_MESSAGE_LIMIT", 1_000_000)

# Messages that one IMAP COPY or APPEND makes (SAVELIMIT, RFC 9738). Default 0: any
# number. Counts where IMAP_MESSAGE_LIMIT, which holds for these too, is 0.
IMAP_SAVE_LIMIT = read.number("IMAP_SAVE_LIMIT", 0)

# Days for which a link to set a password is good. Default 7.
MAILHOST_INVITATION_DAYS = read.number("MAILHOST_INVITATION_DAYS", 7, 1, 90)

# ## POP3

# Seconds between two POP3 logins of one account. Default 0: none. Clients hear of it
# (LOGIN-DELAY) and are refused before.
POP3_LOGIN_DELAY_SECONDS = read.number("POP3_LOGIN_DELAY_SECONDS", 0, 0, 86_400)

# What these four say counts for accounts without a word of their own (in the admin).

# Whether POP3 removes at QUIT what was downloaded, also if the client would leave it.
# yes or no, default no.
POP3_REMOVE_DOWNLOADED = read.switch("POP3_REMOVE_DOWNLOADED", default=False)

# Whether POP3 marks at QUIT as seen what was downloaded. yes or no, default no.
POP3_MARK_SEEN = read.switch("POP3_MARK_SEEN", default=False)

# Whether message 1 of a maildrop is the newest one. yes or no, default no: the oldest.
POP3_NEWEST_FIRST = read.switch("POP3_NEWEST_FIRST", default=False)

# Messages a maildrop offers: the newest ones. Number, default 0: all.
POP3_MOST_MESSAGES = read.number("POP3_MOST_MESSAGES", 0)

# What a client that did not say UTF8 gets of a message with 8-bit header fields.
# `surrogate`: the same in encoded words, as RFC 6856 §2.1 allows, of the size that was
# told; signatures and trace fields give room where needed. `refuse`: -ERR [UTF8].
# `send`: the message as it is, against the RFC. Default surrogate.
POP3_RAW_HEADERS = read.choice("POP3_RAW_HEADERS", ("surrogate", "refuse", "send"))

# ## Keeping

# Memory of each process for the columns of selected folders, MiB. Default 256; less
# means that big folders are read again more often.
MAILHOST_VIEW_CACHE_MB = read.number("MAILHOST_VIEW_CACHE_MB", 256, 1)

# Memory of each process for what messages were sorted and threaded by, MiB. Default
# 128; less means that it is read from the database more often.
MAILHOST_SORT_CACHE_MB = read.number("MAILHOST_SORT_CACHE_MB", 128, 1)

# Days for which what was expunged can be brought back. Default 7.
MAILHOST_GRACE_DAYS = read.number("MAILHOST_GRACE_DAYS", 7, 1, 3650)

# Days after which a deleted account, closed at once, is removed with its mail. Default
# 30; until then it can be restored in the admin.
MAILHOST_DELETE_GRACE_DAYS = read.number("MAILHOST_DELETE_GRACE_DAYS", 30, 1, 3650)

# Days after which what lies in Trash is removed, where an account says nothing of its
# own. Default 0: never.
MAILHOST_TRASH_DAYS = read.number("MAILHOST_TRASH_DAYS", 0, 0, 3650)

# Days after which what lies in Junk is removed, likewise. Default 0: never.
MAILHOST_JUNK_DAYS = read.number("MAILHOST_JUNK_DAYS", 0, 0, 3650)

# Octets of one file of mail that is imported in the browser; unpacked, a zip may have
# twice as many. Default 4294967296 (4 GiB). The database keeps it until it is read.
MAILHOST_MAX_IMPORT_BYTES = read.number("MAILHOST_MAX_IMPORT_BYTES", 4 << 30, 1 << 20)

# Flag changes wait for the disk as new mail does (SQLite). yes or no, default no: a
# power cut may then take the flag changes of the last second, never a message.
MAILHOST_FLAG_SYNC_STRICT = read.switch("MAILHOST_FLAG_SYNC_STRICT", default=False)

# ## Receiving

# DNS servers to ask. IP addresses, commas between, with :port where it is not 53;
# `none`: ask nobody, what hangs on DNS is then unknown and mail is taken all the same.
# Default: those that this machine is set up with.
MAILHOST_DNS_SERVERS = read.servers("MAILHOST_DNS_SERVERS")

# DNS queries that one message may cause in each of SPF, DKIM, ARC, DMARC and the
# checks. Number, default 50; over it what is not known yet stays unknown.
MAILHOST_DNS_QUERIES = read.number("MAILHOST_DNS_QUERIES", 50, 20, 10_000)

# Seconds that all checks of one message may take together. Default 20.
MAILHOST_CHECK_SECONDS = read.number("MAILHOST_CHECK_SECONDS", 20, 1, 300)

# Whether mail from the world is checked (SPF, DKIM, DMARC, ARC, and all that counts
# towards junk). yes or no, default yes.
MAILHOST_CHECK_MAIL = read.switch("MAILHOST_CHECK_MAIL", default=True)

# Networks whose mail on port 25 is taken without checks, limits and greylisting, as
# mail from logged-in users and LMTP is. IP networks, commas between. Default: this
# machine itself.
MAILHOST_UNCHECKED_NETWORKS = read.networks(
    "MAILHOST_UNCHECKED_NETWORKS", "127.0.0.0/8,::1/128"
)

# Sum of the checks' scores from which a message is filed into Junk. Number, default 5;
# 0: never.
MAILHOST_JUNK_SCORE = read.number("MAILHOST_JUNK_SCORE", 5)

# Sum of the checks' scores from which a message is refused. Number, default 15; 0:
# never.
MAILHOST_REJECT_SCORE = read.number("MAILHOST_REJECT_SCORE", 15)

# What is done with mail that fails DMARC: `obey` what its domain asks for, `junk` even
# where it asks to refuse, or `ignore` it. A row of the admin (sender policies) says it
# for one domain. Default obey.
MAILHOST_DMARC = read.one_of("MAILHOST_DMARC", ("obey", "junk", "ignore"))

# Domains whose word (ARC seal) is believed when a message they passed on fails DMARC:
# mailing lists, forwarders. Names, commas between. Default: none.
MAILHOST_TRUSTED_FORWARDERS = read.words("MAILHOST_TRUSTED_FORWARDERS")

# DNS block lists, each with its score: `zen.example=5,bl.example=3`; without a number
# 5. Names, commas between. Default: none.
MAILHOST_DNSBL = read.scores("MAILHOST_DNSBL", 5)

# rspamd that is asked about each message: `http://127.0.0.1:11333`. Its score is added
# to ours. Default: none.
MAILHOST_RSPAMD = read.url("MAILHOST_RSPAMD", ("http", "https"))

# clamd that each message is shown to: the path of its socket, or `address:port`. What
# it finds is refused. Default: none.
MAILHOST_CLAMAV = read.text("MAILHOST_CLAMAV")

# Checks of your own: `package.module.Class`, commas between; docs/checks.md shows how
# to write one. Default: none.
MAILHOST_EXTRA_CHECKS = read.words("MAILHOST_EXTRA_CHECKS")

# Checks that are left out, by their names. Commas between. Default: none.
MAILHOST_SKIPPED_CHECKS = read.words("MAILHOST_SKIPPED_CHECKS")

# Whether a sender we do not know is told to come again (greylisting). yes or no,
# default no: it delays the first mail of everybody.
MAILHOST_GREYLIST = read.switch("MAILHOST_GREYLIST", default=False)

# Seconds after which a greylisted sender may come again. Default 300.
MAILHOST_GREYLIST_SECONDS = read.number("MAILHOST_GREYLIST_SECONDS", 300, 0, 86_400)

# Days for which a network that came again is known, counted from its last mail.
# Default 36.
MAILHOST_GREYLIST_DAYS = read.number("MAILHOST_GREYLIST_DAYS", 36, 1, 3650)

# Messages that one address may bring in an hour. All worker processes count together;
# each may let in an eighth too much.
# Number, default 0: no limit.
MAILHOST_MAX_MESSAGES_PER_ADDRESS = read.number("MAILHOST_MAX_MESSAGES_PER_ADDRESS", 0)

# The same for a network: IPv4 /24, IPv6 /48. Number, default 0: no limit.
MAILHOST_MAX_MESSAGES_PER_NETWORK = read.number("MAILHOST_MAX_MESSAGES_PER_NETWORK", 0)

# Connections one worker process holds from one network (IPv4 /24, IPv6 /48). Number,
# default 5000.
MAILHOST_MAX_CONNECTIONS_PER_NETWORK = read.number(
    "MAILHOST_MAX_CONNECTIONS_PER_NETWORK", 5000, 1
)

# Recipients that do not exist which one address may name in an hour before it is sent
# away for the rest of it; from the fourth on each answer takes longer. Number, default
# 20; 0: no limit.
MAILHOST_MAX_UNKNOWN_RECIPIENTS = read.number("MAILHOST_MAX_UNKNOWN_RECIPIENTS", 20)

# Longest time an answer is held back from who guesses recipients, seconds. Default 20.
MAILHOST_TARPIT_SECONDS = read.number("MAILHOST_TARPIT_SECONDS", 20, 0, 240)

# Hosts a message may have passed (Received fields) before it counts as going in
# circles. Number, default 100, as RFC 5321 §6.3 says.
MAILHOST_MAX_HOPS = read.number("MAILHOST_MAX_HOPS", 100, 10, 1000)

# ## Sending

# Whether the DNS servers validate DNSSEC and the way to them is safe (they are on this
# machine): then their word counts, and DANE protects mail. yes or no, default no.
MAILHOST_DNS_TRUSTED = read.switch("MAILHOST_DNS_TRUSTED", default=False)

# Whether MTA-STS policies of other domains are fetched and obeyed. yes or no, default
# yes.
MAILHOST_MTA_STS = read.switch("MAILHOST_MTA_STS", default=True)

# The policy that other servers find for each of our domains at
# `https://mta-sts.DOMAIN/.well-known/mta-sts.txt` (MTA-STS): `testing`, `enforce`, or
# `none` to take one back. The names get certificates by ACME; `manage.py checkdomain`
# says what to publish. Default off: nothing is served.
MAILHOST_MTA_STS_POLICY = read.choice(
    "MAILHOST_MTA_STS_POLICY", ("off", "testing", "enforce", "none")
)

# Mail servers that the policy names: all of the MX records, `*.` before one stands for
# a label. Names, commas between. Default: MAILHOST_HOSTNAME.
MAILHOST_MTA_STS_HOSTS = read.hosts("MAILHOST_MTA_STS_HOSTS", wildcards=True) or [
    MAILHOST_HOSTNAME
]

# Seconds for which others may keep the policy. Default 604800 (a week); up to a year,
# and not under a day, RFC 8461 §3.2.
MAILHOST_MTA_STS_SECONDS = read.number(
    "MAILHOST_MTA_STS_SECONDS", 604_800, 86_400, 31_557_600
)

# File with the authorities whose certificates are believed when sending, PEM. Default:
# those of this machine.
MAILHOST_OUTBOUND_CA_FILE = read.file("MAILHOST_OUTBOUND_CA_FILE")

# Connections to the outside at one time, by each runner (there is one for each start
# of the servers). Number, default 50.
MAILHOST_OUTBOUND_CONNECTIONS = read.number(
    "MAILHOST_OUTBOUND_CONNECTIONS", 50, 1, 2000
)

# Connections to one domain at one time, by each runner. Number, default 5.
MAILHOST_OUTBOUND_CONNECTIONS_PER_DOMAIN = read.number(
    "MAILHOST_OUTBOUND_CONNECTIONS_PER_DOMAIN", 5, 1, 1000
)

# Messages sent over one connection. Number, default 100.
MAILHOST_OUTBOUND_MESSAGES_PER_CONNECTION = read.number(
    "MAILHOST_OUTBOUND_MESSAGES_PER_CONNECTION", 100, 1
)

# Seconds after which the sender hears that a message is still on its way. Default
# 14400 (four hours); 0: never.
MAILHOST_DELAY_WARNING_SECONDS = read.number("MAILHOST_DELAY_WARNING_SECONDS", 14_400)

# Refusals for good (no such mailbox) after which an address is not tried again for
# MAILHOST_SUPPRESSION_DAYS. Number, default 3; 0: it is tried each time.
MAILHOST_SUPPRESSION_REFUSALS = read.number("MAILHOST_SUPPRESSION_REFUSALS", 3)

# Days for which such an address is not tried, from its last refusal. Default 30.
MAILHOST_SUPPRESSION_DAYS = read.number("MAILHOST_SUPPRESSION_DAYS", 30, 1, 3650)

# Whether mail of our domains to the outside is signed (DKIM) with the keys that
# `manage.py dkim` made. yes or no, default yes.
MAILHOST_DKIM_SIGN = read.switch("MAILHOST_DKIM_SIGN", default=True)

# Domain in whose name mail of others is forwarded (SRS): its SPF record names this
# host, its mail comes here. Default: MAILHOST_HOSTNAME; `none`: senders are left as
# they are.
MAILHOST_SRS_DOMAIN = read.text("MAILHOST_SRS_DOMAIN", MAILHOST_HOSTNAME).lower()

# Local part, in each of our domains, of the address that reports of other servers go to
# (rua of DMARC and TLSRPT): they are read into the admin. Default mailreports.
MAILHOST_REPORT_LOCAL_PART = read.text(
    "MAILHOST_REPORT_LOCAL_PART", "mailreports"
).lower()

# Whether daily reports on TLS and DMARC are sent to the domains that ask for them. yes
# or no, default no.
MAILHOST_SEND_REPORTS = read.switch("MAILHOST_SEND_REPORTS", default=False)

# Block lists that `manage.py checkdomain` asks about this host. Names, commas between.
# Default zen.spamhaus.org,bl.spamcop.net,b.barracudacentral.org.
MAILHOST_CHECK_BLOCKLISTS = read.words(
    "MAILHOST_CHECK_BLOCKLISTS",
    "zen.spamhaus.org,bl.spamcop.net,b.barracudacentral.org",
)

# Seconds for which a runner holds what it works on; it renews them while it lives. What
# one that was killed held is tried again after them. Default 180.
MAILHOST_QUEUE_LEASE_SECONDS = read.number("MAILHOST_QUEUE_LEASE_SECONDS", 180, 3)

# Lets what is fetched from the web be on this machine or in private networks, on any
# port. yes or no, default no; for tests.
MAILHOST_FETCH_ALLOW_PRIVATE = read.switch(
    "MAILHOST_FETCH_ALLOW_PRIVATE", default=False
)

# TCP port used for https:// where MAILHOST_FETCH_ALLOW_PRIVATE is on. Default 443.
MAILHOST_FETCH_PORT = read.number("MAILHOST_FETCH_PORT", 443, 1, 65535)

# File with the authorities whose certificates are believed when fetching, PEM.
# Default: those of this machine.
MAILHOST_FETCH_CA_FILE = read.file("MAILHOST_FETCH_CA_FILE")

# Server that takes all mail to the outside: `smtp://user:password@host:587` (STARTTLS)
# or `smtps://user:password@host:465`. Default: none, each domain's own servers.
MAILHOST_SMARTHOST = read.url("MAILHOST_SMARTHOST", ("smtp", "smtps"))

# Seconds to wait before each new attempt, commas between; the last repeats.
# Default 300,900,1800,3600,7200,14400.
MAILHOST_RETRY_SCHEDULE = read.numbers(
    "MAILHOST_RETRY_SCHEDULE", "300,900,1800,3600,7200,14400"
)

# Seconds after which mail that could not be delivered goes back to its sender.
# Default 432000 (five days).
MAILHOST_QUEUE_LIFETIME_SECONDS = read.number(
    "MAILHOST_QUEUE_LIFETIME_SECONDS", 432_000, 60
)

# TCP port of the servers mail is sent to. Default 25; another one is for tests.
MAILHOST_OUTBOUND_PORT = read.number("MAILHOST_OUTBOUND_PORT", 25, 1, 65535)

# Mail may be sent to servers on this machine or in private networks. yes or no,
# default no: a domain somebody made up must not lead inside.
MAILHOST_OUTBOUND_ALLOW_LOOPBACK = read.switch(
    "MAILHOST_OUTBOUND_ALLOW_LOOPBACK", default=False
)

# Messages a user may send a day (UTC). Number, default 1000; 0: no limit. Who sends
# more is held until an administrator, who is told, releases them; single users may have
# their own limit (admin, Senders).
MAILHOST_SEND_MESSAGES_A_DAY = read.number("MAILHOST_SEND_MESSAGES_A_DAY", 1000)

# Outside addresses a user may write to for the first time, a day. Number, default 300;
# 0: no limit. As above.
MAILHOST_SEND_NEW_RECIPIENTS_A_DAY = read.number(
    "MAILHOST_SEND_NEW_RECIPIENTS_A_DAY", 300
)

# Days for which a message can be held before it is sent (FUTURERELEASE, send later).
# Number, default 90.
MAILHOST_LONGEST_HOLD_DAYS = read.number("MAILHOST_LONGEST_HOLD_DAYS", 90, 1, 3650)

# Whether the address and name of a user's machine stay out of the Received field of
# what they send. yes or no, default yes.
MAILHOST_HIDE_SUBMITTERS = read.switch("MAILHOST_HIDE_SUBMITTERS", default=True)

# Whether other servers may ask for reports on delivery (DSN) on port 25: without it
# nobody can have mail confirmed to a forged sender. yes or no, default yes.
MAILHOST_MX_DSN = read.switch("MAILHOST_MX_DSN", default=True)

# ## Telling

# Least important log lines shown: DEBUG, INFO, WARNING or ERROR. Default INFO.
MAILHOST_LOG_LEVEL = read.text("MAILHOST_LOG_LEVEL", "INFO").upper()

# Log lines as JSON objects instead of text. yes or no, default no.
MAILHOST_LOG_JSON = read.switch("MAILHOST_LOG_JSON", default=False)

# ## End of what the environment sets

if MAILHOST_LOG_LEVEL not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
    raise Misconfigured(
        "MAILHOST_LOG_LEVEL", MAILHOST_LOG_LEVEL, "DEBUG, INFO, WARNING or ERROR"
    )
if bool(MAILHOST_CERTIFICATE) != bool(MAILHOST_CERTIFICATE_KEY):
    raise Misconfigured(
        "MAILHOST_CERTIFICATE_KEY",
        MAILHOST_CERTIFICATE_KEY,
        "set when MAILHOST_CERTIFICATE is set, and only then",
    )
if bool(MAILHOST_ACME_EAB_ID) != bool(MAILHOST_ACME_EAB_KEY):
    raise Misconfigured(
        "MAILHOST_ACME_EAB_KEY", None, "set together with MAILHOST_ACME_EAB_ID"
    )
if MAILHOST_OAUTH_ISSUER and not (MAILHOST_OAUTH_AUDIENCE and MAILHOST_OAUTH_KEYS):
    raise Misconfigured(
        "MAILHOST_OAUTH_ISSUER",
        MAILHOST_OAUTH_ISSUER,
        "set together with MAILHOST_OAUTH_AUDIENCE and MAILHOST_OAUTH_KEYS",
    )
if symmetric := {a for a in MAILHOST_OAUTH_ALGORITHMS if a[:2].upper() in {"HS", "NO"}}:
    raise Misconfigured(
        "MAILHOST_OAUTH_ALGORITHMS",
        min(symmetric),
        "signatures made with a private key, such as RS256",
    )

INSTALLED_APPS = [
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.idp.oidc",
    "accounts",
    "mailhost.jobs",
    "mailhost.certificates",
    "mailhost.mail",
    "mailhost.search",
    "mailhost.store",
    "mailhost.outbound",
    "mailhost.screening",
    "mailhost.sending",
    "mailhost.webmail",
    "protocols",
    "protocols.pop3",
    "mailhost.adminapp.MailhostAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",  # asked for by allauth's pages
    "channels",
    "django_htmx",
]
MIDDLEWARE = [
    "mailhost.certificates.wellknown.WellKnown",
    "mailhost.proxies.TrustedProxies",
    "mailhost.autoconfig.middleware.Autoconfig",
    "mailhost.compression.Pages",
    "django.middleware.security.SecurityMiddleware",
    "mailhost.webmail.policy.SecurityPolicy",
    "mailhost.statics.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.locales.Locale",
    "accounts.secondfactor.SecondFactor",
]
ROOT_URLCONF = "mailhost.urls"
ASGI_APPLICATION = "mailhost.asgi.application"
WSGI_APPLICATION = "mailhost.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def _database() -> dict[str, Any]:
    if DATABASE_URL and not DATABASE_URL.startswith("sqlite"):
        found = dict(env.db_url_config(DATABASE_URL))
        pool = {"min_size": 1, "max_size": MAILHOST_DATABASE_POOL, "timeout": 30}
        options = {**found.get("OPTIONS", {}), "pool": pool}
        return {**found, "ENGINE": "django.db.backends.postgresql", "OPTIONS": options}
    file = MAILHOST_DATA_DIR / "mailhost.sqlite3"
    if DATABASE_URL:
        file = Path(env.db_url_config(DATABASE_URL)["NAME"])
    return {
        "ENGINE": "mailhost.db.sqlite3",
        "NAME": str(file),
        # A file, so that threads of the servers under test see the same rows.
        "TEST": {"NAME": str(MAILHOST_DATA_DIR / "test.sqlite3")},
    }


DATABASES = {"default": {**_database(), "ATOMIC_REQUESTS": False}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Rows, so that all processes know a code that was used, and count wrong ones together.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "django_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.auth.Backend", *MAILHOST_AUTHENTICATION_BACKENDS]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
PASSWORD_RESET_TIMEOUT = MAILHOST_INVITATION_DAYS * 24 * 3600
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = LOGIN_URL

# django-allauth: what comes after the password. accounts/webdoor.py, mailhost/doors.py
ACCOUNT_ADAPTER = "accounts.webdoor.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = LOGOUT_REDIRECT_URL
# Passwords are throttled by accounts.throttle; this counts codes of second factors.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": "20/m/ip,5/300s/key"}
MFA_ADAPTER = "accounts.webdoor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = MAILHOST_HOSTNAME
# Browsers give passkeys to localhost without TLS.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not MAILHOST_WEB_HTTPS
IDP_OIDC_ADAPTER = "accounts.provider.ProviderAdapter"
IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN = 3600
IDP_OIDC_REFRESH_TOKEN_EXPIRES_IN = 90 * 24 * 3600
IDP_OIDC_ROTATE_REFRESH_TOKEN = True

ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", MAILHOST_HOSTNAME]
ALLOWED_HOSTS += [MAILHOST_WEB_ADDRESS, *MAILHOST_WEB_HOSTS]
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in MAILHOST_WEB_HOSTS]
SESSION_COOKIE_NAME = "mailhost_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = MAILHOST_WEB_HTTPS
SESSION_COOKIE_AGE = 14 * 24 * 3600
CSRF_COOKIE_SAMESITE = "Lax"
# Believed where TrustedProxies leaves it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000 if MAILHOST_WEB_HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# An upload is a message's attachments; what is larger goes to a file.
DATA_UPLOAD_MAX_MEMORY_SIZE = MAILHOST_MAX_MESSAGE_BYTES
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# Those whose catalogs are complete, by their own names. `make messages`
LANGUAGES = [
    ("ar", "العربية"),
    ("de", "Deutsch"),
    ("en", "English"),
    ("es", "Español"),
    ("fr", "Français"),
    ("it", "Italiano"),
    ("nl", "Nederlands"),
]
LANGUAGE_CODE = MAILHOST_LANGUAGE
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"  # of logs; people have MAILHOST_TIME_ZONE or their own
STATIC_URL = "/static/" if DEBUG else f"/static/{version(BASE_DIR)}/"
# Static files are served where the apps keep them: nothing to collect before a start.
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_AUTOREFRESH = DEBUG

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
        "json": {"()": "mailhost.logs.JsonFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "json" if MAILHOST_LOG_JSON else "text",
        }
    },
    "root": {"handlers": ["console"], "level": MAILHOST_LOG_LEVEL},
    "loggers": {"django.request": {"level": "ERROR"}},
}

if MAILHOST_EXTRA_SETTINGS:
    exec(  # noqa: S102 -- the administrator's own file
        compile(
            Path(MAILHOST_EXTRA_SETTINGS).read_text(), MAILHOST_EXTRA_SETTINGS, "exec"
        )
    )
