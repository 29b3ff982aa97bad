"""What happens later, or again and again: rows, run by whichever host has time.

    registry.register("collect", "mailhost.store.maintenance.collect", every=HOUR)
    registry.register("wake", "…")
    schedule.later("wake", {"message": 7}, due=monday, key="7")
    schedule.cancel("wake", "7")

A job is claimed by a conditional update for the time of its lease, and its row is
settled after it ran: one that was cut off runs again, so every job is idempotent. Its
function is named by its dotted path and gets the row's argument as keywords; it may
return another argument, which the row then keeps. Nothing due costs one indexed query.
"""
