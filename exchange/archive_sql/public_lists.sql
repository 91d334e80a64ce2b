-- zh: 公开统计：期末在名单上的主体，按名单和登记类型（不含自然人）
-- en: Open figures: organisations on each list at the end of the time, by kind of entity
-- uses: subjects, listing_changes
WITH held AS (
    SELECT list_code, subject, entry
    FROM listing_changes WHERE day <= $until AND NOT starts_with(subject, 'person:')
    GROUP BY ALL
    HAVING count(*) FILTER (entered) > count(*) FILTER (NOT entered))
SELECT list_code AS row, coalesce(kind, 'UNKNOWN') AS column, count(DISTINCT held.subject) AS count
FROM held LEFT JOIN subjects USING (subject)
WHERE $since <= $until
GROUP BY ALL
ORDER BY ALL
