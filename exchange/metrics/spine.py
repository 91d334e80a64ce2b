"""What the spine shows: publishers, the standing processor, the dispatcher, the ledger."""

from exchange.metrics.declaring import Metrics, ProcessMetrics

SIZES = (1, 10, 50, 100, 500, 1000, 2500, 5000, 10000)


class PublisherMetrics(Metrics):
    """What a department's publisher shows."""

    def __init__(self) -> None:
        super().__init__()
        self.confirmed = self._counter("published", "Records that the broker confirmed.", "department")
        self.failed = self._counter(
            "publish_failed", "Records that the broker did not confirm in time.", "department", "error"
        )
        self.refused = self._counter(
            "publish_refused", "Records refused before they were sent, by reason.", "department", "reason"
        )
        self.confirm_seconds = self._histogram(
            "publish_confirm_seconds", "From handing a record over until the broker confirmed it.", "department"
        )


class StandingMetrics(ProcessMetrics):
    """What the standing processor shows."""

    def __init__(self) -> None:
        super().__init__()
        self.records = self._counter("records", "Records taken in and folded.", "department", "record_type")
        self.duplicates = self._counter("records_known", "Records that said nothing new (duplicate or older revision).")
        self.rejections = self._counter("rejections", "Records put in quarantine, by reason.", "department", "reason")
        self.quarantined = self._counter(
            "quarantined", "Records put in quarantine, each once, however many reasons it has.", "department"
        )
        self.classified = self._counter(
            "classified_refused", "Classified records refused; nothing of them is kept.", "department"
        )
        self.notices = self._counter("notices", "Measures told to departments.", "department", "measure", "action")
        self.without_basis = self._counter(
            "rule_without_basis", "Rules that would oblige but had no legal basis in force.", "list_code", "measure"
        )
        self.late_publications = self._counter(
            "late_publications",
            "Licences and penalties published later than their term (the 7th working day).",
            "department",
            "record_type",
        )
        self.feedback = self._counter("feedback", "Feedback on measures, by state.", "department", "state")
        self.contested = self._counter(
            "contested_aliases",
            "Claims of an older code that another subject claims as well; the earliest decided has it.",
        )
        self.snoozed = self._counter(
            "responses_snoozed", "Feedback that puts a response off, with an officer.", "department"
        )
        self.overdue_told = self._counter(
            "overdue_told",
            "Notices sent because responses are overdue: reminder (of its own) or escalation (of a supervised department's).",
            "department",
            "kind",
        )
        self.overdue = self._gauge(
            "overdue_responses", "Responses that the department owes and whose day has passed.", "department"
        )
        self.messages = self._counter("internal_messages", "Messages from one subject to another.")
        self.timers_fired = self._counter("timers_fired", "Subjects judged again because a day came.")
        self.fenced = self._counter(
            "fenced", "Commits or transactions refused because another process owns the partition.", "by"
        )
        for by in ("commit", "transaction"):  # there from the start, so that the first one is an increase
            self.fenced.labels(by)
        self.reconciles = self._counter("reconciles", "Times Redis came back older than Kafka and was made whole.")
        self.rejoins = self._counter("rejoins", "Times the group refused this member for good and it joined anew.")
        self.retries = self._counter("retries", "Times a server was away and the loop waited.", "server")
        self.stage_seconds = self._histogram(
            "stage_seconds",
            "Seconds of one batch in a stage: decode, fold, judge, send (of the commit), commit (waiting for its answer).",
            "stage",
        )
        self.transaction_commits = self._histogram("transaction_commits", "Commits in a transaction.", buckets=SIZES)
        self.batch_records = self._histogram("batch_records", "Records in a batch.", buckets=SIZES)
        self.stage_latency = self._histogram(
            "latency_seconds",
            "Seconds from publication by the department until the end of a stage: commit, publish.",
            "stage",
        )
        self.lag = self._gauge("lag_records", "Records of the assigned partitions not yet taken in.")
        self.assigned = self._gauge("assigned_partitions", "Partitions of the join that this process owns.")
        self.cached = self._gauge("cached_standings", "Standings kept in process.")
        self.cache_misses = self._counter("cache_misses", "Standings that had to be loaded.")
        self.outbox = self._gauge("outbox_messages", "Messages committed and not yet published.")
        self.outbox_oldest = self._gauge(
            "outbox_oldest_seconds", "Age of the oldest commit with messages not yet published; 0 when there is none."
        )
        self.partitions = self._gauge("partitions", "Partitions of the bus, as configured.")
        self.standstill = self._gauge(
            "partition_standstill_seconds",
            "Seconds for which records of the partition have waited and none was taken in; 0 while it gets on.",
            "partition",
        )
        self.held = self._gauge("held_topics", "Department topics held back by the quarantine limit.", "department")
        self.stuck = self._gauge("stuck", "1 when records wait and nothing was committed for too long.")
        self.epoch = self._gauge("epoch", "Highest epoch of the owned partitions.")


class DispatcherMetrics(ProcessMetrics):
    """What the dispatcher shows."""

    def __init__(self) -> None:
        super().__init__()
        self.attempts = self._counter("delivery_attempts", "Attempts to deliver, by outcome.", "department", "outcome")
        self.delivered = self._counter("delivered", "Notices delivered.", "department")
        self.latency = self._histogram(
            "delivery_latency_seconds", "Seconds from the issue of a notice until it was delivered.", "department",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 60.0, 600.0, 3600.0, 86400.0),
        )  # fmt: skip
        self.pending = self._gauge("delivery_pending", "Subjects with a notice to deliver.", "department")
        self.oldest = self._gauge(
            "delivery_oldest_pending_seconds", "Age of the oldest notice not delivered.", "department"
        )
        self.circuit = self._gauge("delivery_circuit", "Circuit breaker: 0 closed, 1 probing, 2 open.", "department")
        self.inactive = self._gauge(
            "delivery_inactive", "1 while the endpoint is unverified, paused or gone.", "department"
        )
        self.paused = self._counter("delivery_paused", "Times an endpoint was paused by itself.", "department")
        self.exhausted = self._counter(
            "delivery_exhausted", "Notices whose schedule has ended; they are tried on.", "department"
        )
        self.collapsed = self._counter("delivery_collapsed", "Notices replaced by a newer one while they waited.")
        self.stale = self._counter("delivery_stale", "Notices read that were not newer than what is known.")
        self.compacted = self._counter(
            "delivery_compacted", "Notices no longer on their topic when they were to be sent; a newer one is."
        )
        self.certificate_expires = self._gauge(
            "delivery_certificate_expires_timestamp_seconds",
            "When the certificate that the endpoint last showed ends, seconds since 1970.",
            "department",
        )
        self.lag = self._gauge("delivery_lag_records", "Messages of the assigned partitions not yet taken in.")
        self.standstill = self._gauge(
            "delivery_standstill_seconds",
            "Seconds for which notices of the partition have waited on their topics and none was taken in; 0 while it gets on.",
            "partition",
        )
        self.receipts_waiting = self._gauge("receipts_waiting", "Delivery receipts not yet published.")
        self.fenced = self._counter("delivery_fenced", "Commits refused because another process owns the partition.")
        self.rejoins = self._counter(
            "delivery_rejoins", "Times the group refused this member for good and it joined anew."
        )
        self.refused = self._counter(
            "delivery_refused_addresses", "Attempts that the guard refused: no public address.", "department"
        )
        self.retries = self._counter("delivery_retries", "Times a server was away and the dispatcher waited.", "server")
        self.assigned = self._gauge("delivery_partitions", "Partitions that this process delivers.")
        self.stuck = self._gauge("delivery_stuck", "1 when notices are due and nothing moved for too long.")


class LedgerMetrics(ProcessMetrics):
    """What the ledger shows."""

    def __init__(self) -> None:
        super().__init__()
        self.appended = self._counter("ledger_entries", "Entries appended to the ledger.", "kind")
        self.transactions = self._counter("ledger_transactions", "Transactions that appended to the ledger.")
        self.fenced = self._counter(
            "ledger_fenced", "Transactions refused because another process owns the partition or this one's name."
        )
        self.recoveries = self._counter(
            "ledger_recoveries", "Partitions whose offsets were read back from the ledger itself."
        )
        self.rejoins = self._counter(
            "ledger_rejoins", "Times the group refused this member for good and it joined anew."
        )
        self.retries = self._counter("ledger_retries", "Times a server was away and the ledger waited.", "code")
        self.batch_seconds = self._histogram(
            "ledger_batch_seconds", "Seconds from a batch to its committed transaction."
        )
        self.lag = self._gauge("ledger_lag_records", "Messages of the assigned partitions not yet in the ledger.")
        self.assigned = self._gauge("ledger_assigned_partitions", "Chains that this process writes.")
        self.checkpoint_age = self._gauge(
            "ledger_checkpoint_age_seconds",
            "Age of the oldest entry that no checkpoint covers yet; 0 when all are covered.",
        )
        self.stuck = self._gauge("ledger_stuck", "1 when messages wait and nothing was appended for too long.")
