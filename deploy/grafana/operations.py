"""Operations 运行: is the bus well, and if not, where does it hang."""

from deploy.grafana.panels import Curve, Figure, Query, Section, dashboard

Q = Query
SECTIONS = (
    Section("现况 Now", (
        Figure("告警 alerts firing", "short", Q('count(ALERTS{alertstate="firing", severity!="none"}) or vector(0)')),
        Figure("进程不应答 processes down", "short", Q('count(up{job=~"(.*/)?creditbus.*"} == 0) or vector(0)')),
        Figure("停滞 stuck", "short", Q("sum(instance:creditbus_stuck:max)")),
        Figure("积压 records waiting", "short", Q("sum(creditbus_lag_records)")),
        Figure("受理 records/s", "short", Q("sum(rate(creditbus_records_total[$__rate_interval]))")),
        Figure("通知 notices/s", "short", Q("sum(rate(creditbus_notices_total[$__rate_interval]))")),
    )),
    Section("流量 Rates", (
        Curve("报送 records by department", "short", (Q("department:creditbus_records:rate5m", "{{department}}"),)),
        Curve("退回 rejected by department", "short", (Q("department:creditbus_quarantined:rate5m > 0", "{{department}}"),)),
        Curve("通知与推送 notices and deliveries", "short", (
            Q("sum(department:creditbus_notices:rate5m)", "通知 notices"),
            Q("sum(department:creditbus_delivered:rate5m)", "送达 delivered"),
        )),
    )),
    Section("时延 Latency", (
        Curve("提交与发布 until committed, published", "s", (
            Q("creditbus:commit_latency_seconds:p50_rate5m", "提交 commit p50"),
            Q("creditbus:commit_latency_seconds:p99_rate5m", "提交 commit p99"),
            Q("creditbus:publish_latency_seconds:p50_rate5m", "发布 publish p50"),
            Q("creditbus:publish_latency_seconds:p99_rate5m", "发布 publish p99"),
        )),
        Curve("目标耗用 burn of the latency objective (1 = as allowed)", "short", (
            Q("creditbus:publish_slow:ratio_rate5m / scalar(creditbus_limit:slow_ratio)", "5 min"),
            Q("creditbus:publish_slow:ratio_rate1h / scalar(creditbus_limit:slow_ratio)", "1 h"),
            Q("creditbus:publish_slow:ratio_rate6h / scalar(creditbus_limit:slow_ratio)", "6 h"),
            Q("creditbus:publish_slow:ratio_rate3d / scalar(creditbus_limit:slow_ratio)", "3 d"),
        )),
        Curve("各步耗时 seconds a batch by stage", "s", (
            Q(
                "sum by (stage) (rate(creditbus_stage_seconds_sum[$__rate_interval]))"
                " / sum by (stage) (rate(creditbus_stage_seconds_count[$__rate_interval]))",
                "{{stage}}",
            ),
        )),
    )),
    Section("处理器 Standing processors", (
        Curve("积压 lag by process", "short", (Q("instance:creditbus_lag_records:max", "{{process}} {{instance}}"),)),
        Curve("分区停滞 standstill by partition", "s", (
            Q("max by (partition) (creditbus_partition_standstill_seconds)", "{{partition}}"),
            Q("max by (partition) (creditbus_delivery_standstill_seconds)", "推送 delivery {{partition}}"),
        )),
        Curve("发件箱 outbox", "short", (
            Q("sum(creditbus_outbox_messages)", "消息 messages"),
            Q("max(creditbus_outbox_oldest_seconds)", "最早 oldest, s"),
        )),
        Curve("所属分区 partitions owned", "short", (
            Q("creditbus_assigned_partitions", "{{instance}}"), Q("max(creditbus_partitions)", "全部 all"),
        )),
        Curve("隔离与重放 fenced, reconciled, rejoined", "short", (
            Q("sum(increase(creditbus_fenced_total[$__rate_interval]))", "fenced"),
            Q("sum(increase(creditbus_reconciles_total[$__rate_interval]))", "reconciled"),
            Q("sum(increase(creditbus_rejoins_total[$__rate_interval]))", "rejoined"),
        )),
        Curve("等待服务器 waits for servers", "short", (Q("instance:creditbus_retries:rate1m", "{{process}} {{instance}}"),)),
    )),
    Section("推送 Delivery", (
        Curve("待推送 pending by department", "short", (Q("sum by (department) (creditbus_delivery_pending)", "{{department}}"),)),
        Curve("最早待推送 oldest pending", "s", (
            Q("max by (department) (creditbus_delivery_oldest_pending_seconds)", "{{department}}"),
        )),
        Curve("熔断 circuit (2 open)", "short", (Q("max by (department) (creditbus_delivery_circuit)", "{{department}}"),)),
    )),
    Section("进程 Processes", (
        Curve("内存 memory", "bytes", (Q('process_resident_memory_bytes{job=~"(.*/)?creditbus.*"}', "{{process}} {{instance}}"),)),
        Curve("打开的文件 open files", "short", (Q('process_open_fds{job=~"(.*/)?creditbus.*"}', "{{process}} {{instance}}"),)),
        Curve("证书剩余天数 days left of certificates", "d", (Q("creditbus:certificate_left:days", "{{certificate}}"),)),
    )),
)  # fmt: skip


def operations() -> str:
    """The dashboard's JSON."""
    return dashboard(
        "creditbus-operations",
        "信用总线：运行 operations",
        "Is the bus well, and if not, where does it hang?",
        SECTIONS,
    )
