-- zh: 市场主体进入与退出
-- en: Entry and exit of market entities, by month and kind: established, cancelled, revoked, moved out
SELECT
    strftime(day, '%Y-%m') AS month,
    kind,
    count(*) FILTER (event = 'ESTABLISHED') AS established,
    count(*) FILTER (event = 'CANCELLED') AS cancelled,
    count(*) FILTER (event = 'REVOKED') AS revoked,
    count(*) FILTER (event = 'MOVED_OUT') AS moved_out
FROM (
    SELECT subject, any_value(kind) AS kind, 'ESTABLISHED' AS event, min(coalesce(established_on, decided_on)) AS day
    FROM registration GROUP BY subject
    UNION ALL
    SELECT subject, any_value(kind), status, min(decided_on)
    FROM registration WHERE status IN ('CANCELLED', 'REVOKED', 'MOVED_OUT') GROUP BY subject, status
)
WHERE day BETWEEN $since AND $until
GROUP BY ALL
ORDER BY ALL
