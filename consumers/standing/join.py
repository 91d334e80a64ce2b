"""Load, fold and judge: a decoded batch becomes one commit a partition.

No I/O but the one load of what is not cached; every decision is the pure core's. The order within a batch is the order of
arrival, and a subject is judged once a batch, however many of its records came.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from consumers.standing.decode import INTERNAL_TYPE, REJECTION_TYPE, Arrival, Decoded, rejection
from consumers.standing.notices import Cause, NoticeWriter, standing_change
from consumers.standing.work import Tally, Work
from exchange.codec import Codec
from exchange.domain.bodies import FeedbackState
from exchange.domain.calendar import day_of
from exchange.domain.fold import JUDGED, fold, is_whole, oblige
from exchange.domain.judge import Judgement, RuleBook, judge
from exchange.domain.links import Message, claimants, forward, messages
from exchange.domain.notice import Action, Draft, settle
from exchange.domain.record import Entry, merge
from exchange.domain.response import ResponseRules
from exchange.domain.standing import EMPTY, Owed, Standing
from exchange.domain.timeliness import Timeliness, Timing, timing_of
from exchange.standing_store import NEVER, Commit, StandingStore, Wanted
from exchange.topics import Topics

_encode_facts = msgspec.msgpack.Encoder().encode
TIMER = Cause()
FEEDBACK = "measure_feedback"

ACTIONS = {action: action.name.lower() for action in Action}
"""Names of actions as metrics show them."""


class Join:
    """Joins batches under one policy and one day.

    Args:
        store: where standings and entries are loaded from.
        topics: names of the bus's topics.
        codec: encodes what is told.
        book: policy and day.
        rules: how departments' responses are watched, with the working-day arithmetic.
        new_token: makes commit tokens.

    Attributes:
        traces: topic, partition and offset of each traced record of the batch to the `traceparent` of what it causes.
    """

    def __init__(
        self,
        store: StandingStore,
        topics: Topics,
        codec: Codec,
        book: RuleBook,
        rules: ResponseRules,
        new_token: Callable[[], str],
    ) -> None:
        self._store = store
        self._topics = topics
        self._encode = codec.encode_plain
        self.notices = NoticeWriter(codec.prefix("notice"), rules.deadline, book.policy.version)
        self.book = book
        self._rules = rules
        self._timeliness = Timeliness(book.policy, rules.deadline)
        self.new_token = new_token
        self.tally = Tally()
        self.traces: Mapping[tuple[str, int, int], str] = {}

    def begin(self, decoded: Iterable[Decoded], due: dict[int, Sequence[str]]) -> list[Work]:
        """Load what the batch needs: the standings that are not cached, and one entry for each document named."""
        batch, wanted = [], []
        for one in decoded:
            partition = one.partition
            cache = partition.cache
            of_partition = due.get(partition.number, ())
            subjects: dict[str, None] = {}
            entries: dict[tuple[str, str], None] = {}
            for subject, fact, *_ in one.arrivals:
                entries[subject, fact.key] = None
                if subject not in cache:
                    subjects[subject] = None
            subjects.update((subject, None) for subject in of_partition if subject not in cache)
            commit = Commit(partition=partition.number, expected=partition.token, token=self.new_token())
            batch.append(Work(partition, one, of_partition, commit, {}))
            wanted.append(Wanted(partition.number, list(subjects), list(entries)))
            self.tally.misses += len(subjects)
        loaded = self._store.load(wanted)
        for work, (_, subjects_wanted, entries_wanted), (token, standings, entries_found) in zip(
            batch, wanted, loaded, strict=True
        ):
            work.note_read_at(token)
            for subject, standing in zip(subjects_wanted, standings, strict=True):
                work.standings[subject] = standing or EMPTY
            self._fold(work, dict(zip(entries_wanted, entries_found, strict=True)))
        return batch

    def _fold(self, work: Work, known: dict[tuple[str, str], Entry | None]) -> None:
        """Step: fold every arrival into its subject's standing."""
        standings, cache, records = work.standings, work.partition.cache, self.tally.records
        changed, touched, judged = work.changed, work.touched, work.judged
        for arrival in work.decoded.arrivals:
            subject, fact, record_type, value, topic, _ = arrival
            key = fact.key
            pair = (subject, key)
            before = known[pair]
            after = merge(before, fact)
            kind = key[: key.index("/")]
            if after is before:
                self.tally.known += bool(fact.version.body)
                continue
            known[pair] = changed[pair] = after
            standing = standings.get(subject) or cache[subject]
            standings[subject] = folded = fold(standing, key, before, after)
            touched[subject] = None
            if kind == "link" and before is None and len(claimants(folded)) > 1:
                self.tally.contested += 1
            if (
                kind in JUDGED
                or standing.merged_into
                or (kind == FEEDBACK and standing.told)
                or folded.applications is not standing.applications
            ):
                judged[subject] = arrival
            if not fact.version.body:
                continue  # counted as part of its record
            records[topic, record_type] += 1
            if record_type == FEEDBACK:
                self._watch_feedback(value)
            elif record_type in self._timeliness.record_types:
                self._watch_publication(record_type, value)

    def _watch_publication(self, record_type: str, value: dict[str, Any]) -> None:
        due = self._timeliness.due(record_type, value["decided_on"], value.get("severity"))
        if due is not None and timing_of(due, day_of(value["published_at"])) is Timing.LATE:
            self.tally.late[value["department"], record_type] += 1

    def _watch_feedback(self, value: dict[str, Any]) -> None:
        self.tally.feedback[value["department"], FeedbackState(value["state"]).name.lower()] += 1
        if value["snoozed_until"] is not None:
            self.tally.snoozed[value["department"],] += 1

    def judge(self, work: Work, *, now: int) -> None:
        """Step: judge each touched subject once, and put what follows into the commit.

        Args:
            work: folded.
            now: milliseconds since 1970-01-01 UTC.
        """
        for subject in work.due:
            if subject not in work.judged:
                work.judged[subject] = None
                self.tally.timers += 1
        for subject, arrival in work.judged.items():
            standing = work.standings.get(subject) or work.partition.cache[subject]
            work.standings[subject] = self._judge_one(work, subject, standing, arrival, now)
            work.touched[subject] = None

    def _judge_one(self, work: Work, subject: str, standing: Standing, arrival: Arrival | None, now: int) -> Standing:
        book = self.book
        if standing.policy and standing.policy != book.policy.version and not is_whole(standing):
            standing = self._revive(work, subject, standing)
        judgement = judge(standing, book, person=subject.startswith("person:"))
        settled, drafts = settle(standing, judgement, book, self._rules, epoch=work.partition.epoch)
        if settled.told is not standing.told or work.telling is not None:
            _index_overdue(work.commit, subject, standing, settled)
        self.tally.without_basis.update(judgement.without_basis)
        quiet = work.partition.reconcile and work.telling is None
        if drafts and not quiet:
            self._tell(work, subject, settled, drafts, cause_of(arrival, work.partition.number, now), now)
            change = self._standing_change(subject, settled, judgement, work.partition.epoch, now)
            work.commit.messages.append((self._topics.standing, subject.encode(), change))
        settled = self._tell_subjects(work, subject, standing, settled, judgement, now, quiet=quiet)
        if settled.due or settled.told or settled.sent or settled.merged_into or judgement.holdings:
            work.commit.timers.append((subject, settled.due or NEVER))
        elif standing.due:  # what is over may come back with another policy, so the subject stays indexed
            work.commit.timers.append((subject, None if is_whole(settled) else NEVER))
        return settled

    def _revive(self, work: Work, subject: str, standing: Standing) -> Standing:
        """The standing with entries whose term was over by another policy; if it is by this one too, they leave again."""
        return standing._replace(active=oblige(self._records(work, subject)))

    def _records(self, work: Work, subject: str) -> dict[str, Entry]:
        """All entries of a subject, with those that this batch changed."""
        changed = {key: entry for (of, key), entry in work.changed.items() if of == subject}
        token, entries = self._store.entries_as_of(work.partition.number, subject)
        work.note_read_at(token)
        return {**entries, **changed}

    def _tell(
        self, work: Work, subject: str, settled: Standing, drafts: Sequence[Draft], cause: Cause, now: int
    ) -> None:
        """Notices to departments."""
        epoch = work.partition.epoch
        parent = self.traces.get((cause.topic, cause.partition, cause.offset), "") if self.traces else ""
        notices = self.notices.write(subject, settled, drafts, cause, epoch=epoch, issued_at=now)
        for draft, wire in zip(drafts, notices, strict=True):
            if parent:
                work.commit.traces[len(work.commit.messages)] = parent
            work.commit.messages.append((self._topics.out_of(draft.department), subject.encode(), wire))
            for measure, action in draft.changes:
                self.tally.notices[draft.department, measure, ACTIONS[action]] += 1
            if not draft.changes:
                own = any(owed.department == draft.department for owed in draft.told.overdue)
                self.tally.overdue_told[draft.department, "reminder" if own else "escalation"] += 1

    def _tell_subjects(
        self,
        work: Work,
        subject: str,
        before: Standing,
        settled: Standing,
        judgement: Judgement,
        now: int,
        *,
        quiet: bool,
    ) -> Standing:
        """Messages to other subjects: links, what reaches persons, and records that an alias hands over."""
        partition = work.partition
        outgoing, sent = messages(subject, settled, judgement, epoch=partition.epoch, at=now // 1000)
        if settled.merged_into or before.merged_into or work.telling is not None:
            handed_over, sent = forward(
                subject, before.merged_into, settled.merged_into,
                {key: entry for (of, key), entry in work.changed.items() if of == subject},
                lambda: self._records(work, subject), sent, epoch=partition.epoch, at=now // 1000,
                handed=None if work.telling is None else work.telling.get(subject, {}),
            )  # fmt: skip
            outgoing += handed_over
        if not quiet:
            work.commit.messages += [self._internal(subject, message, partition.epoch, now) for message in outgoing]
            self.tally.internal += len(outgoing)
        return settled if sent is settled.sent else settled._replace(sent=sent)

    def _standing_change(self, subject: str, standing: Standing, judgement: Judgement, epoch: int, now: int) -> bytes:
        """The record of `credit.standing`, in wire format."""
        n = sum(told.n for told in standing.told.values())
        return self._encode("standing_change", standing_change(subject, judgement, epoch=epoch, n=n, changed_at=now))

    def _internal(self, source: str, message: Message, epoch: int, now: int) -> tuple[str, bytes, bytes]:
        """A message of `credit.internal`: topic, key and wire bytes."""
        plain = {
            "subject": message.target,
            "source": source,
            "epoch": epoch,
            "sent_at": now,
            "body": _encode_facts(message.facts),
        }
        return (self._topics.internal, message.target.encode(), self._encode(INTERNAL_TYPE, plain))

    def finish(self, work: Work, *, now: int) -> Commit:
        """The commit of a partition's batch: standings, entries, offsets, rejections."""
        partition, commit, decoded = work.partition, work.commit, work.decoded
        for one in decoded.rejected:
            if not partition.reconcile or one.message.offset() >= partition.known.get(one.message.topic(), 0):
                plain = rejection(one, received_at=now)
                key = one.message.key() or b""
                topic = self._topics.rejected_of(one.department)
                commit.messages.append((topic, b"" if not plain["raw"] else key, self._encode(REJECTION_TYPE, plain)))
        commit.standings = [(subject, work.standings[subject]) for subject in work.touched]
        commit.entries = [(subject, key, entry) for (subject, key), entry in work.changed.items()]
        commit.cursor.update({f"o:{topic}": offset for topic, offset in decoded.offsets.items()})
        commit.cursor.update({f"h:{topic}": run for topic, run in decoded.runs.items()})
        commit.published = partition.published
        commit.trim = partition.trim
        return commit


def own_overdue(standing: Standing) -> list[Owed]:
    """The overdue responses of which their departments know."""
    return [
        owed for department, told in standing.told.items() for owed in told.overdue if owed.department == department
    ]


def _index_overdue(commit: Commit, subject: str, before: Standing, settled: Standing) -> None:
    """Put what is overdue now into the index, and take out what no longer is."""
    now = own_overdue(settled)
    commit.no_longer_overdue += [(subject, owed) for owed in own_overdue(before) if owed not in now]
    commit.overdue += [(subject, owed) for owed in now]


def cause_of(arrival: Arrival | None, partition: int, now: int) -> Cause:
    """What set a change off; a timer where no record did."""
    if arrival is None:
        return TIMER
    value = arrival.value
    return Cause(
        arrival.record_type, value.get("department", ""), value.get("document", ""), arrival.topic, partition,
        arrival.offset, value.get("published_at", value.get("sent_at", 0)), now,
    )  # fmt: skip
