"""Department 部门: what one department sends, gets, and owes."""

from deploy.grafana.panels import Curve, Figure, Query, Section, dashboard

Q = Query
OF = 'department="$department"'
SECTIONS = (
    Section("现况 Now", (
        Figure("报送/日 records a day", "short", Q(f"sum(increase(creditbus_records_total{{{OF}}}[1d]))")),
        Figure("退回率 rejected, 15 min", "percentunit", Q(f"department:creditbus_quarantined:ratio_increase15m{{{OF}}}")),
        Figure("暂停分区 partitions held", "short", Q(f"sum(creditbus_held_topics{{{OF}}}) or vector(0)")),
        Figure("逾期反馈 overdue", "short", Q(f"sum(creditbus_overdue_responses{{{OF}}})")),
        Figure("逾期公示 not disclosed", "short", Q(f"sum(department:creditbus_disclosures_overdue:sum{{{OF}}})")),
        Figure("待推送 pending", "short", Q(f"sum(creditbus_delivery_pending{{{OF}}})")),
    )),
    Section("报送 What it sends", (
        Curve("按类型 records by type", "short", (
            Q(f"sum by (record_type) (rate(creditbus_records_total{{{OF}}}[$__rate_interval]))", "{{record_type}}"),
        )),
        Curve("退回原因 rejected by reason", "short", (
            Q(f"sum by (reason) (rate(creditbus_rejections_total{{{OF}}}[$__rate_interval]))", "{{reason}}"),
        )),
        Curve("双公示 disclosures by timing", "short", (
            Q(f"sum by (timing) (creditbus_disclosures{{{OF}}})", "{{timing}}"),
        )),
    )),
    Section("接收 What it gets", (
        Curve("措施 measures told", "short", (
            Q(f"sum by (measure, action) (rate(creditbus_notices_total{{{OF}}}[$__rate_interval]))", "{{action}} {{measure}}"),
        )),
        Curve("推送结果 deliveries by outcome", "short", (
            Q(f"sum by (outcome) (rate(creditbus_delivery_attempts_total{{{OF}}}[$__rate_interval]))", "{{outcome}}"),
        )),
        Curve("送达时延 from issue to delivery", "s", (
            Q(
                "histogram_quantile(0.5, sum by (le) "
                f"(rate(creditbus_delivery_latency_seconds_bucket{{{OF}}}[$__rate_interval])))",
                "p50",
            ),
            Q(
                "histogram_quantile(0.99, sum by (le) "
                f"(rate(creditbus_delivery_latency_seconds_bucket{{{OF}}}[$__rate_interval])))",
                "p99",
            ),
        )),
        Curve("最早待推送 oldest pending", "s", (Q(f"max(creditbus_delivery_oldest_pending_seconds{{{OF}}})", "s"),)),
        Curve("熔断与停用 circuit, inactive", "short", (
            Q(f"max(creditbus_delivery_circuit{{{OF}}})", "熔断 circuit (2 open)"),
            Q(f"max(creditbus_delivery_inactive{{{OF}}})", "停用 inactive"),
        )),
        Curve("HTTP 收取 over HTTP", "short", (
            Q(f"sum by (how) (rate(creditbus_inbox_notices_total{{{OF}}}[$__rate_interval]))", "{{how}}"),
        )),
    )),
    Section("反馈 What it answers", (
        Curve("反馈 feedback by state", "short", (
            Q(f"sum by (state) (rate(creditbus_feedback_total{{{OF}}}[$__rate_interval]))", "{{state}}"),
        )),
        Curve("逾期 overdue", "short", (Q(f"sum(creditbus_overdue_responses{{{OF}}})", "逾期 overdue"),)),
        Curve("催办 reminders", "short", (
            Q(f"sum by (kind) (increase(creditbus_overdue_told_total{{{OF}}}[1d]))", "{{kind}}"),
        )),
    )),
)  # fmt: skip


def department() -> str:
    """The dashboard's JSON."""
    return dashboard(
        "creditbus-department", "信用总线：部门 department", "What one department sends, gets, and owes.", SECTIONS,
        variable="label_values(creditbus_quarantined_total, department)",
    )  # fmt: skip
