"""The topics that early warning needs beside those of the bus; made at its start, all with the bus's number of partitions."""

from confluent_kafka.admin import AdminClient

from exchange.domain.calendar import DAY_MS
from exchange.settings import Settings
from exchange.topics import COMPACTED, FOREVER, Applied, Topics, make_topics, safe_copies

PARTS_DAYS = 7
"""Parts wait so long for who adds them up; they are said anew after every restart."""


class OwnTopics:
    """Names of early warning's own topics, and the application that Faust knows them by.

    Args:
        prefix: of the bus.
    """

    def __init__(self, prefix: str) -> None:
        self.app_id = f"{prefix}.early-warning"
        self.parts = f"{self.app_id}.parts"
        self.shared = f"{self.app_id}.shared"
        self.windows = Topics(prefix).windows

    def changelog(self, table: str) -> str:
        """Where Faust writes each change of a table; the name is Faust's choice."""
        return f"{self.app_id}-{table}-changelog"


def make_own_topics(admin: AdminClient, tables: tuple[str, ...], settings: Settings) -> Applied:
    """Make what is missing, so that neither Faust nor the broker makes it as they like.

    Changelogs are compacted only: Faust would let the broker delete a windowed table's changelog by age, and a state that is older
    than that would be lost without a word.

    Raises:
        FatalError: `partition_mismatch`.
        RetryLaterError: Kafka is away.
    """
    own = OwnTopics(settings.topic_prefix)
    safe = safe_copies(settings.replication)
    passing = FOREVER | safe | {"retention.ms": str(PARTS_DAYS * DAY_MS)}
    wanted = {own.parts: passing, own.shared: passing, own.windows: COMPACTED | safe}
    wanted |= {own.changelog(table): COMPACTED | safe for table in tables}
    return make_topics(admin, wanted, settings)
