-- zh: 公开统计：逐月作出的许可、处罚和列入名单（不含自然人）
-- en: Open figures: licences, penalties and listings of organisations, by month of the decision
SELECT strftime(decided_on, '%Y-%m') AS row, record_type AS column, count(*) AS count
FROM (
    SELECT subject, 'licence' AS record_type, decided_on FROM licence_now
    UNION ALL SELECT subject, 'penalty', decided_on FROM penalty_now
    UNION ALL SELECT subject, 'listing', decided_on FROM listing_now
    UNION ALL SELECT subject, 'abnormal_entry', decided_on FROM abnormal_entry_now
)
WHERE decided_on BETWEEN $since AND $until AND NOT starts_with(subject, 'person:')
GROUP BY ALL
ORDER BY ALL
