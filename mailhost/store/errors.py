"""What can go wrong in the store, in the store's own words.

No class here knows a reply code: each protocol keeps its own table from these types
to its replies.
"""


class StoreError(Exception):
    """The request is understood and refused. The text is safe to show to the user."""


class NoSuchFolder(StoreError):
    """No folder of this name is visible to this user."""


class NoSuchMessage(StoreError):
    """No such message is visible to this user."""


class FolderExists(StoreError):
    """There is a folder of this name already."""


class RoleTaken(StoreError):
    """Another folder of the account is for this."""


class FolderHasChildren(StoreError):
    """The folder cannot go while there are folders below it."""


class BadName(StoreError):
    """The name cannot be a folder's."""


class NotPermitted(StoreError):
    """The user sees it, but lacks the right to do this."""


class OverQuota(StoreError):
    """The account has no room for this."""


class NoSuchQuota(StoreError):
    """No quota of this name is this user's to see, or to set."""


class MessageTooBig(StoreError):
    """The message is larger than this server takes."""


class TooMany(StoreError):
    """A limit on a count was reached: folders, keywords, and the like."""


class EntryTooBig(StoreError):
    """The value of an annotation is larger than this server takes."""


class TooManyEntries(StoreError):
    """The folder has as many annotations as it may have."""


class BadIdentifier(StoreError):
    """No user or group that rights can be given to has this name."""


class RightsFixed(StoreError):
    """The rights come from owning the account or from a membership."""


class InUse(StoreError):
    """Somebody else works on it; try again."""
