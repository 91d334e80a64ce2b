-- zh: 按部门：通知与反馈
-- en: By department: notices told, measures imposed by them, answers, and days from notice to the first answer
WITH
    told AS (
        SELECT id, department, subject, epoch, n, min(arrived_at) AS told_at,
            any_value(len(list_filter(changes, lambda change: change.action = 'IMPOSED'))) AS imposed
        FROM notice WHERE arrived_on BETWEEN $since AND $until GROUP BY ALL),
    answers AS (
        SELECT notice_id AS id, department, subject, min(arrived_at) AS answered_at, count(*) AS answers
        FROM measure_feedback GROUP BY ALL)
SELECT
    told.department,
    count(*) AS notices,
    sum(imposed)::BIGINT AS imposed,
    count(answered_at) AS answered,
    coalesce(sum(answers), 0)::BIGINT AS answers,
    round(median(epoch(answered_at - told_at)) / 86400, 2) AS median_days
FROM told LEFT JOIN answers USING (id, department, subject)
GROUP BY told.department
ORDER BY told.department
