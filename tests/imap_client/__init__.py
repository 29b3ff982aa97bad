"""An IMAP client that believes nothing: for tests.

cursor      the terminals of the grammar over one whole response
codes       response codes
structure   ENVELOPE, BODY, BODYSTRUCTURE
fetched     the items of a FETCH
responses   a whole response -> a value; raises Malformed for anything else
reader      octets as they arrive -> values
picture     what a client knows of its mailbox from responses alone
wire        a socket, commands out, responses in, the picture kept
"""
