"""What the routes of the workspace share."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from consumers.dispatcher.endpoint_desk import EndpointDesk
from consumers.early_warning.words import SeriesWords
from consumers.inbox_http.cursor import CursorForm
from consumers.inbox_http.reader import Readers
from consumers.portal.language import language_of, translator
from consumers.portal.pages import code_of
from consumers.portal.parts import Parts
from consumers.portal.workspace.cases import Case, case_of
from consumers.portal.workspace.persons import Persons
from consumers.portal.workspace.uploads import Uploads
from exchange.api_keys import KeyStore
from exchange.corrections import Corrections
from exchange.delivery_store import DeliveryStore
from exchange.domain.access import Visitor
from exchange.domain.calendar import WorkingDays
from exchange.domain.identity import is_person, is_series
from exchange.domain.response import ResponseRules
from exchange.domain.series import Series
from exchange.domain.standing import EMPTY
from exchange.http.problems import RefusedError
from exchange.http.sending import Outbound
from exchange.known_as import PREFIX
from exchange.labels import Label, Labels
from exchange.look_up import subject_of
from exchange.partitioner import partition_of
from exchange.standing_store import Wanted
from exchange.topics import Topics


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceParts:
    """What the routes share.

    Attributes:
        portal: what all rooms share.
        readers: of Kafka.
        form: of the cursors that pages of topics are turned by.
        outbound: publishes in the name of departments.
        endpoints: of departments.
        deliveries: the log of pushed notices.
        keys: of departments that reach the bus by HTTP.
        corrections: which rejected records were sent again.
        uploads: files on their way onto the bus.
        labels: of the contracts.
        names: of measures, by their code.
        working_days: of the State Council's calendar.
    """

    portal: Parts
    readers: Readers
    form: CursorForm
    outbound: Outbound
    endpoints: EndpointDesk
    deliveries: DeliveryStore
    keys: KeyStore
    corrections: Corrections
    uploads: Uploads
    labels: Labels
    names: Mapping[str, Label]
    working_days: WorkingDays

    @property
    def topics(self) -> Topics:
        """Names of topics."""
        return Topics(self.portal.settings.topic_prefix)

    @property
    def partitions(self) -> int:
        """Of every topic."""
        return self.portal.settings.partitions

    def page(self, request: Request, name: str, department: str, *, status: int = 200, **given: Any) -> Response:
        """A page of a department's workspace.

        Raises:
            RefusedError: 404 `unknown_department`.
        """
        if department not in self.portal.catalogue.departments:
            raise RefusedError(
                404, f"没有此部门 no department {department[:40]}", code="unknown_department",
                remedy="see the catalogue of departments",
            )  # fmt: skip
        say = translator(language_of(request))
        known_as = Persons(self.portal.keys, request.state.visitor).known_as
        given |= {
            "department": department, "known_as": known_as, "code_of": lambda subject: self._title(subject, say) or code_of(known_as(subject)),
            "measure_name": lambda code: say(*self.name_of(code)),
        }  # fmt: skip
        return self.portal.pages.page(request, f"workspace/{name}", status=status, **given)

    def _title(self, subject: str, say: Callable[[str, str], str]) -> str:
        """What a series is called; empty for anybody else."""
        if not is_series(subject):
            return ""
        books = self.portal.books
        words = SeriesWords(self.portal.catalogue, books.policy)
        return say(*words.name(Series.parse(subject.partition(":")[2]), books.today().as_of))

    def subject_of(self, text: str, visitor: Visitor) -> str:
        """The subject that a link or a form names: a person only by the pseudonym of the visitor's own audience.

        Raises:
            RequestError: with the code of the `IdentityError`.
            RefusedError: 404 `unknown_subject`.
        """
        asked = self.portal.keys.subject_of(text, visitor) if text.startswith(PREFIX) else subject_of(text)
        if asked is None or (is_person(asked) and not text.startswith(PREFIX)):
            raise RefusedError(
                404, f"没有此主体 no subject {text[:80]}", code="unknown_subject", remedy="查询名称或代码 search again"
            )
        return str(asked)

    def name_of(self, measure: str) -> Label:
        """What a measure is called."""
        return self.names.get(measure, Label(measure, measure))

    def cases(self, department: str, subjects: Iterable[str]) -> dict[str, Case]:
        """Cases of a department by subject.

        Raises:
            RetryLaterError: Redis is away.
        """
        by_partition: dict[int, list[str]] = {}
        for subject in dict.fromkeys(subjects):
            by_partition.setdefault(partition_of(subject, self.partitions), []).append(subject)
        wanted = [Wanted(number, found, ()) for number, found in by_partition.items()]
        rules = ResponseRules(deadline=self.working_days.add)
        cases = {}
        for one, loaded in zip(wanted, self.portal.store.load(wanted), strict=True):
            for subject, standing in zip(one.subjects, loaded.standings, strict=True):
                cases[subject] = case_of(
                    subject,
                    standing or EMPTY,
                    department,
                    book=self.portal.books.today(),
                    rules=rules,
                    names=self.names,
                )
        return cases

    async def case(self, department: str, subject: str) -> Case:
        """One case; see `cases`."""
        found = await self.portal.find(subject)
        return (await asyncio.to_thread(self.cases, department, [found.subject]))[found.subject]
