"""What the consumers beside the spine show: directory, deadlines, archive, risk classes, early warning."""

from exchange.metrics.declaring import ProcessMetrics


class DirectoryMetrics(ProcessMetrics):
    """What the directory's process shows."""

    def __init__(self) -> None:
        super().__init__()
        self.records = self._counter("directory_records", "Records kept.", "record_type")
        self.rejected = self._counter(
            "directory_rejected", "Reasons for which records were not kept.", "department", "reason"
        )
        self.batch_seconds = self._histogram(
            "directory_batch_seconds", "Seconds from a batch's first record until it was kept."
        )
        self.retries = self._counter("directory_retries", "Times Kafka was away and the directory waited.", "code")
        self.lag = self._gauge("directory_lag_records", "Records on departments' topics not yet kept.")
        self.size = self._gauge("directory_bytes", "Bytes of the directory on disk.")
        self.stuck = self._gauge("directory_stuck", "1 when records wait and nothing was kept for too long.")


class DeadlineMetrics(ProcessMetrics):
    """What the deadlines' process shows."""

    def __init__(self) -> None:
        super().__init__()
        self.disclosures = self._gauge(
            "disclosures",
            "Licences and penalties by how their publication stands to its term: on_time, late; known and not public: pending, due_soon, overdue.",
            "department",
            "record_type",
            "timing",
        )
        self.records = self._counter("deadlines_records", "Records taken in.", "record_type")
        self.batch_seconds = self._histogram(
            "deadlines_batch_seconds", "Seconds from a batch's first record until it was kept."
        )
        self.retries = self._counter("deadlines_retries", "Times Kafka was away and the process waited.", "code")
        self.lag = self._gauge("deadlines_lag_records", "Records on departments' topics not yet kept.")
        self.size = self._gauge("deadlines_bytes", "Bytes of the deadlines on disk.")
        self.stuck = self._gauge("deadlines_stuck", "1 when records wait and nothing was kept for too long.")


class ArchiveMetrics(ProcessMetrics):
    """What the archive's process shows."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = self._counter("archive_rows", "Rows committed.", "table")
        self.refused = self._counter(
            "archive_refused", "Reasons for which records became no rows.", "department", "reason"
        )
        self.commit_seconds = self._histogram(
            "archive_commit_seconds",
            "Seconds that a commit to all tables took.",
            buckets=(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
        )
        self.compacted = self._counter(
            "archive_compacted_files", "Files fewer after small ones were made into large ones."
        )
        self.retries = self._counter("archive_retries", "Times Kafka was away and the archive waited.", "code")
        self.lag = self._gauge("archive_lag_records", "Messages on the topics not yet committed to the tables.")
        self.differences = self._gauge(
            "archive_differences",
            "Places in which the last `creditbus archive verify` found topics and tables to differ.",
        )
        self.verified_at = self._gauge(
            "archive_verified_timestamp_seconds",
            "When the last `creditbus archive verify` was done, seconds since 1970.",
        )
        self.stuck = self._gauge("archive_stuck", "1 when messages wait and nothing was committed for too long.")


class RiskMetrics(ProcessMetrics):
    """What the process of risk classes shows."""

    def __init__(self) -> None:
        super().__init__()
        self.computed = self._counter(
            "risk_computed", "Firms whose class was worked out, by cause: event, month.", "cause"
        )
        self.published = self._counter("risk_published", "Classes published because they differ.", "class", "cause")
        self.refused = self._counter(
            "risk_refused", "Classes that break a rule of the bus and were not published.", "reason"
        )
        self.classes = self._gauge(
            "risk_classes",
            "Firms of each class in the owned partitions, as this month's round has found them.",
            "class",
        )
        self.batch_seconds = self._histogram("risk_batch_seconds", "Seconds to work a batch out and have it confirmed.")
        self.retries = self._counter("risk_retries", "Times a server was away and the process waited.", "code")
        self.lag = self._gauge("risk_lag_records", "Records of the assigned partitions not yet looked at.")
        self.waiting = self._gauge(
            "risk_waiting_records",
            "Of these, records that were read and wait for the standing processor or their turn.",
        )
        self.left = self._gauge(
            "risk_round_left", "Subjects of the partition under way that the monthly round has still to see."
        )
        self.assigned = self._gauge("risk_assigned_partitions", "Partitions that this process owns.")
        self.stuck = self._gauge("risk_stuck", "1 when classes are to be worked out and nothing moved for too long.")


class EarlyWarningMetrics(ProcessMetrics):
    """What an early-warning worker shows."""

    def __init__(self) -> None:
        super().__init__()
        self.records = self._counter("early_warning_records", "Records read.", "department")
        self.counted = self._counter("early_warning_counted", "Records counted in windows.", "signal")
        self.known = self._counter(
            "early_warning_known", "Records that were counted before: a revision, or the same again.", "signal"
        )
        self.again = self._counter(
            "early_warning_delivered_again", "Records that Kafka or Faust delivered again, which changed nothing."
        )
        self.rejected = self._counter(
            "early_warning_rejected", "Reasons for which records were not counted.", "department", "reason"
        )
        self.late = self._counter("early_warning_late", "Counts of windows that were forgotten already.")
        self.windows = self._counter(
            "early_warning_windows", "Windows whose count was published, by width in days.", "days"
        )
        self.warnings = self._counter("early_warning_warnings", "Warnings put on the bus.")
        self.refused = self._counter(
            "early_warning_refused",
            "Reasons for which warnings of ours could not be published: a fault of the bus's own.",
            "reason",
        )
        self.findings = self._counter(
            "early_warning_findings", "What baselines found, by level; ended ones too.", "level"
        )
        self.batch_seconds = self._histogram("early_warning_batch_seconds", "Seconds to count one batch.")
        self.rebalances = self._counter("early_warning_rebalances", "Times that partitions were given anew.")
        self.fetched_again = self._counter(
            "early_warning_fetched_again", "Partitions of topics gone back in, because something of them never came."
        )
        self.restarts = self._counter(
            "early_warning_restarts", "Times that Faust had failed and was begun anew.", "error"
        )
        self.retries = self._counter("early_warning_retries", "Times Kafka was away and the worker waited.", "code")
        self.recovering = self._gauge(
            "early_warning_recovering", "1 while tables are read back from their changelogs; nothing is counted then."
        )
        self.assigned = self._gauge("early_warning_partitions", "Partitions that this worker counts.")
        self.lag = self._gauge(
            "early_warning_lag_records", "Records of this worker's partitions that are not committed."
        )
        self.behind = self._gauge(
            "early_warning_behind_seconds", "How far the newest window that is over in all partitions lies behind now."
        )
        self.difference = self._gauge(
            "early_warning_difference",
            "Windows whose published count differs from the last recount, by how: missing, too_low, too_high, unfounded.",
            "how",
        )
        self.recounted_at = self._gauge(
            "early_warning_recounted_at_seconds", "When the last recount ended, since 1970-01-01."
        )
        self.stuck = self._gauge(
            "early_warning_stuck", "1 when records wait and nothing was committed for too long, recovery included."
        )
