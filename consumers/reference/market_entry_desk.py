"""The market-entry desk (市场准入窗口) of gd.amr: pushed notices in, restrictions on registration and office, answers to the clerk.

It verifies with the bus's public keys (`v1a`), which cannot be used to forge a notice: nothing secret lies at the desk.
"""

import time
from collections.abc import Mapping, Sequence

from aiohttp import web

from consumers.reference.office import Office
from consumers.reference.practice import Duty, Practice
from consumers.reference.receiver import Fetch, Receiver
from consumers.webhook import Message, open_message
from exchange.codec import Codec
from exchange.domain.check import Answer

PRACTICE = Practice(
    department="gd.amr",
    name_zh="市场准入窗口",
    name_en="market-entry desk",
    officer="登记注册处-01",
    mark="粤市监限",
    duties={
        "office_ban": Duty(
            name_zh="限制担任法定代表人、董事、监事、高级管理人员",
            name_en="limited in holding office in a company",
            answer=Answer.REFUSE,
            review_only=frozenset({"TAX"}),  # five years after a sentence: the officer looks for the sentence
        ),
        "licence_review": Duty(name_zh="从严审查行政许可", name_en="strict review of licences", answer=Answer.REVIEW),
        "green_channel": Duty(
            name_zh="行政审批绿色通道和容缺受理",
            name_en="green channel in approvals, missing papers later",
            answer=Answer.FAST_TRACK,
        ),
        "production_licence_limit": Duty(
            name_zh="从严控制生产许可证发放",
            name_en="strict control of production licences",
            answer=Answer.REVIEW,
        ),
        # Executed by other desks of the same department; noted here, and no matter of market entry.
        "more_inspections": Duty(
            name_zh="列为重点监管对象，增加检查频次",
            name_en="key supervision, more inspections",
            answer=Answer.REVIEW,
            at_counter=False,
        ),
        "half_yearly_inspection": Duty(
            name_zh="每半年至少一次全面检查",
            name_en="full inspection every half year",
            answer=Answer.REVIEW,
            at_counter=False,
        ),
        "heavier_penalty": Duty(
            name_zh="再次违法从严处罚",
            name_en="heavier penalties for a new violation",
            answer=Answer.REVIEW,
            at_counter=False,
        ),
        "no_awards": Duty(
            name_zh="撤销荣誉，取消参加评先评优资格",
            name_en="honours revoked, no awards",
            answer=Answer.REFUSE,
            at_counter=False,
        ),
        "warning_prompt": Duty(
            name_zh="预警提示",
            name_en="early-warning prompt: look into it and say what was found",
            answer=Answer.CLEAR,
            at_counter=False,
        ),
        "priority_attention": Duty(
            name_zh="重点关注",
            name_en="priority attention in day-to-day supervision",
            answer=Answer.CLEAR,
            at_counter=False,
        ),
    },
)
QUESTION = "/may-register"


def desk_app(office: Office, public_keys: Sequence[str], codec: Codec, fetch: Fetch | None = None) -> web.Application:
    """The desk's pages.

    Args:
        office: with PRACTICE.
        public_keys: `whpk_...`; two while they are rotated.
        codec: of the contracts.
        fetch: for thin notices; None when there is no way to the inbox.
    """

    def open_request(body: bytes, headers: Mapping[str, str]) -> Message:
        return open_message(body, headers, public_keys, codec, now=time.time())

    return Receiver(office, open_request, QUESTION, fetch).app()
