"""What an index of either engine can do."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from mailhost.search.query import Query


@dataclass(frozen=True, slots=True)
class Document:
    """The folded texts of an e-mail, in the order of query.COLUMNS."""

    email_id: int
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Where a search must look.

    Every e-mail of a message of the account that was created up to `modseq` has a
    document. `email_ids`: those of them that may match; None: any may.
    """

    modseq: int
    email_ids: Sequence[int] | None


class Writing(ABC):
    """A transaction that holds the account's part of the index.

    modseq: as in Candidates. swept: up to where removals of mail were followed. number:
    of the next document; it rises when all are removed, too.
    """

    modseq: int
    swept: int
    number: int

    @property
    def stamp(self) -> tuple[int, int]:
        """What differs once somebody else has written."""
        return self.modseq, self.number

    @abstractmethod
    def known(self, email_ids: Sequence[int]) -> set[int]:
        """Return those that have a document."""

    @abstractmethod
    def add(self, documents: Sequence[Document]) -> None:
        """Add documents of e-mails that have none."""

    @abstractmethod
    def listed(self, after: int, most: int) -> list[tuple[int, int]]:
        """Return (id, e-mail id) of documents with a higher id than `after`."""

    @abstractmethod
    def remove(self, ids: Sequence[int]) -> None:
        """Remove documents by their id."""

    @abstractmethod
    def note(self, modseq: int, swept: int) -> None:
        """Note how far the account is; called last."""

    @abstractmethod
    def forget(self) -> None:
        """Note nothing of the account any more, once its documents are removed."""


class Index(ABC):
    """The documents of all accounts."""

    @abstractmethod
    def ensure(self) -> None:
        """Make what is missing; start anew over what another version made."""

    @abstractmethod
    def candidates(self, account_id: int, query: Query, most: int) -> Candidates:
        """Return which e-mails of the account may match, at most so many."""

    @abstractmethod
    def told(
        self, account_id: int, email_ids: Sequence[int], query: Query
    ) -> dict[int, bool] | None:
        """Return {e-mail id: whether it matches} of those that have a document.

        None: the engine cannot tell this query exactly; `texts` can.
        """

    @abstractmethod
    def texts(
        self, account_id: int, email_ids: Sequence[int], columns: Sequence[str]
    ) -> dict[int, tuple[str, ...]]:
        """Return {e-mail id: texts of these columns} of those that have a document."""

    @abstractmethod
    def progress(self) -> dict[int, int]:
        """Return {account: modseq} as Candidates has it."""

    @abstractmethod
    def writing(self, account_id: int) -> AbstractContextManager[Writing | None]:
        """Open a transaction; None where another process holds the account."""

    @abstractmethod
    def tidy(self) -> bool:
        """Put the index in better order, for a moment; tell whether there is more."""
