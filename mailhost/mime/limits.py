"""What the parser takes on. Over a limit it goes on with less; it never refuses."""

# Levels of multipart and message/rfc822 inside each other. A composite part below
# the last one is an opaque application/octet-stream.
MAX_DEPTH = 100

# Parts of one message. The last one takes all that follows it in its multipart.
MAX_PARTS = 10_000

# Octets of one header block that are read for fields; the rest belongs to the header
# but names nothing.
MAX_HEADER = 256 * 1024

# Fields of one header block that are read.
MAX_FIELDS = 10_000

# Addresses of one field that are read, group marks included.
MAX_ADDRESSES = 10_000

# Parameters of one Content-Type or Content-Disposition that are read.
MAX_PARAMETERS = 200

# Message-ids kept of References and of In-Reply-To, the last ones.
MAX_REFERENCES = 200

# Octets of one message-id; a longer one is not an id (RFC 5322 §2.1.1).
MAX_MESSAGE_ID = 998

# Octets of one boundary. RFC 2046 §5.1.1 allows 70; some senders write more.
MAX_BOUNDARY = 256

# Octets looked through for delimiters, all levels together: this many times the
# message, and as much as deep nesting needs in a small one.
SCAN_FACTOR = 12
SCAN_LEAST = 4 * 1024 * 1024

# Characters of a preview (RFC 8970 §3.3).
MAX_PREVIEW = 200

# Characters of a message that full text search sees.
MAX_SEARCHABLE = 4_000_000
