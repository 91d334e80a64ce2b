-- zh: 按措施和部门：实施、解除与响应
-- en: By measure and department: imposed and lifted in the time, in force at its end, and what was answered
-- uses: measure_changes
WITH
    told AS (
        SELECT
            department,
            measure,
            count(*) FILTER (entered AND day BETWEEN $since AND $until) AS imposed,
            count(*) FILTER (NOT entered AND day BETWEEN $since AND $until) AS lifted,
            count(*) FILTER (entered AND day <= $until) - count(*) FILTER (NOT entered AND day <= $until) AS in_force
        FROM measure_changes GROUP BY ALL),
    answered AS (
        SELECT
            department,
            measure,
            count(*) FILTER (state = 'EXECUTED') AS executed,
            count(*) FILTER (state = 'DECLINED') AS declined,
            count(*) FILTER (state = 'NOT_APPLICABLE') AS not_applicable,
            count(*) FILTER (state = 'ENDED') AS ended,
            sum(amount_yuan) AS amount_yuan
        FROM measure_feedback_now WHERE decided_on BETWEEN $since AND $until GROUP BY ALL)
SELECT
    coalesce(told.measure, answered.measure) AS measure,
    coalesce(told.department, answered.department) AS department,
    coalesce(imposed, 0) AS imposed,
    coalesce(lifted, 0) AS lifted,
    coalesce(in_force, 0) AS in_force,
    coalesce(executed, 0) AS executed,
    coalesce(declined, 0) AS declined,
    coalesce(not_applicable, 0) AS not_applicable,
    coalesce(ended, 0) AS ended,
    amount_yuan
FROM told FULL JOIN answered USING (department, measure)
ORDER BY measure, department
