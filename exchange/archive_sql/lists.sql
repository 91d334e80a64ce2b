-- zh: 按名单：列入与移出
-- en: By list: entries and exits in the time, and how many are listed at its end
-- uses: listing_changes
SELECT
    list_code,
    count(*) FILTER (entered AND day BETWEEN $since AND $until) AS entries,
    count(*) FILTER (NOT entered AND day BETWEEN $since AND $until) AS exits,
    count(*) FILTER (entered AND day <= $until) - count(*) FILTER (NOT entered AND day <= $until) AS listed
FROM listing_changes
GROUP BY list_code
ORDER BY list_code
