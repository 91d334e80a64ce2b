"""What responses are called: the states of a measure and what authorities owe to applications for repair, in Chinese and English."""

from collections.abc import Mapping

from exchange.domain.response import REPAIR_ACCEPTANCE, REPAIR_ANSWER, State
from exchange.labels import Label

STATES: Mapping[State, Label] = {
    State.NOTIFIED: Label("已通知", "notified"),
    State.DELIVERED: Label("已送达", "delivered"),
    State.ACKNOWLEDGED: Label("已签收", "acknowledged"),
    State.EXECUTED: Label("已执行", "executed"),
    State.DECLINED: Label("不予执行", "declined"),
    State.NOT_APPLICABLE: Label("不适用", "not applicable"),
    State.ENDED: Label("已终止", "ended"),
    State.LIFTED: Label("已解除，待确认", "lifted, to be confirmed"),
    State.LIFT_DELIVERED: Label("解除已送达", "lift delivered"),
    State.LIFT_ACKNOWLEDGED: Label("解除已签收", "lift acknowledged"),
    State.LIFT_CONFIRMED: Label("解除已确认", "lift confirmed"),
}

WORKS: Mapping[str, Label] = {
    REPAIR_ACCEPTANCE: Label("受理信用修复申请", "accept or refuse an application for repair"),
    REPAIR_ANSWER: Label("答复信用修复申请", "answer an application for repair"),
}
