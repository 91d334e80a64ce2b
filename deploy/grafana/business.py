"""Business 业务: what the bus does for the province."""

from deploy.grafana.panels import Curve, Figure, Query, Section, dashboard

Q = Query
DAY = "[1d]"
SECTIONS = (
    Section("今日 The last day", (
        Figure("受理信息 records", "short", Q(f"sum(increase(creditbus_records_total{DAY}))")),
        Figure("列入 listings", "short", Q(f'sum(increase(creditbus_records_total{{record_type="listing"}}{DAY}))')),
        Figure("措施实施 measures imposed", "short", Q(f'sum(increase(creditbus_notices_total{{action="imposed"}}{DAY}))')),
        Figure("措施解除 measures lifted", "short", Q(f'sum(increase(creditbus_notices_total{{action="lifted"}}{DAY}))')),
        Figure("逾期反馈 responses overdue", "short", Q("sum(creditbus_overdue_responses)")),
        Figure("逾期公示 disclosures overdue", "short", Q("sum(department:creditbus_disclosures_overdue:sum)")),
    )),
    Section("信用信息 Records", (
        Curve("按类型 by type, an hour", "short", (
            Q("sum by (record_type) (increase(creditbus_records_total[1h]))", "{{record_type}}"),
        )),
        Curve("按部门 by department, an hour", "short", (
            Q("sum by (department) (increase(creditbus_records_total[1h]))", "{{department}}"),
        )),
        Curve("退回原因 rejected by reason, an hour", "short", (
            Q("topk(10, sum by (reason) (increase(creditbus_rejections_total[1h])))", "{{reason}}"),
        )),
    )),
    Section("措施 Measures", (
        Curve("实施 imposed by measure, an hour", "short", (
            Q('topk(10, sum by (measure) (increase(creditbus_notices_total{action="imposed"}[1h])))', "{{measure}}"),
        )),
        Curve("解除 lifted by measure, an hour", "short", (
            Q('topk(10, sum by (measure) (increase(creditbus_notices_total{action="lifted"}[1h])))', "{{measure}}"),
        )),
        Curve("无依据的规则 rules without a legal basis in force, an hour", "short", (
            Q("sum by (list_code, measure) (increase(creditbus_rule_without_basis_total[1h]))", "{{list_code}} {{measure}}"),
        )),
    )),
    Section("响应与反馈 Response and feedback", (
        Curve("反馈 feedback by state, an hour", "short", (Q("sum by (state) (increase(creditbus_feedback_total[1h]))", "{{state}}"),)),
        Curve("逾期 overdue by department", "short", (Q("department:creditbus_overdue_responses:sum > 0", "{{department}}"),)),
        Curve("催办与上报 reminders and escalations, a day", "short", (
            Q("sum by (kind) (increase(creditbus_overdue_told_total[1d]))", "{{kind}}"),
        )),
    )),
    Section("公示与预警 Disclosure and warnings", (
        Curve("双公示 disclosures by timing", "short", (Q("sum by (timing) (creditbus_disclosures)", "{{timing}}"),)),
        Curve("逾期公示 overdue by department", "short", (Q("department:creditbus_disclosures_overdue:sum > 0", "{{department}}"),)),
        Curve("预警 warnings by level, a day", "short", (
            Q("sum by (level) (increase(creditbus_early_warning_findings_total[1d]))", "{{level}}"),
        )),
        Curve("信用风险分类 firms by risk class", "short", (Q("sum by (class) (creditbus_risk_classes)", "{{class}}"),)),
    )),
)  # fmt: skip


def business() -> str:
    """The dashboard's JSON."""
    return dashboard("creditbus-business", "信用总线：业务 business", "What the bus does for the province.", SECTIONS)
