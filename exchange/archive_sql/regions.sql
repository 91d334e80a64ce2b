-- zh: 按地区
-- en: By region (city): registrations, licences, penalties with fines, listings
SELECT
    city,
    count(*) FILTER (record_type = 'registration') AS registrations,
    count(*) FILTER (record_type = 'licence') AS licences,
    count(*) FILTER (record_type = 'penalty') AS penalties,
    sum(fine_yuan) AS fines_yuan,
    count(*) FILTER (record_type = 'listing') AS listings,
    count(*) FILTER (record_type = 'abnormal_entry') AS abnormal_entries
FROM (
    SELECT 'registration' AS record_type, city_of(division, subject) AS city, NULL AS fine_yuan, decided_on FROM registration_now
    UNION ALL SELECT 'licence', city_of(division, subject), NULL, decided_on FROM licence_now
    UNION ALL SELECT 'penalty', city_of(division, subject), fine_yuan, decided_on FROM penalty_now
    UNION ALL SELECT 'listing', city_of(division, subject), NULL, decided_on FROM listing_now
    UNION ALL SELECT 'abnormal_entry', city_of(division, subject), NULL, decided_on FROM abnormal_entry_now
)
WHERE decided_on BETWEEN $since AND $until
GROUP BY city
ORDER BY city
