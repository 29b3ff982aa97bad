"""Messages in order and in threads. RFC 5256, RFC 5957.

keys        what is compared, out of Content, kept by UID     SQL
results     what was found lately                             memory
order       SORT                                              keys
threading   THREAD: which messages answer which               keys
references  ids and references -> a forest                    pure
forest      a forest, pruned, sorted, and written             pure

A content never changes, so neither do its keys. Call `order` and `thread` in a reader
thread.
"""

from mailhost.store.sorting.order import Criterion, order
from mailhost.store.sorting.threading import ALGORITHMS, Threads, thread

__all__ = ["ALGORITHMS", "Criterion", "Threads", "order", "thread"]
