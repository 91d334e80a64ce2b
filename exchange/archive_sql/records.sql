-- zh: 各部门报送的信息
-- en: What departments published: records, subjects, and days from decision to arrival
SELECT
    department,
    record_type,
    count(*) AS records,
    count(DISTINCT subject) AS subjects,
    count(*) FILTER (revision > 1) AS revisions,
    round(median(arrived_on - decided_on), 1) AS median_days
FROM all_records
WHERE arrived_on BETWEEN $since AND $until
GROUP BY ALL
ORDER BY department, record_type
