-- zh: 按主体类型
-- en: By kind of entity: subjects, and those penalised, listed and licensed in the time
-- uses: subjects
WITH
    penalised AS (
        SELECT subject, count(*) AS penalties, sum(fine_yuan) AS fines_yuan FROM penalty_now
        WHERE decided_on BETWEEN $since AND $until GROUP BY subject),
    listed AS (SELECT subject, count(*) AS listings FROM listing_now WHERE decided_on BETWEEN $since AND $until GROUP BY subject),
    licensed AS (SELECT subject, count(*) AS licences FROM licence_now WHERE decided_on BETWEEN $since AND $until GROUP BY subject)
SELECT
    kind,
    count(*) AS subjects,
    count(*) FILTER (status = 'ACTIVE') AS active,
    coalesce(sum(licences), 0)::BIGINT AS licences,
    count(penalties) AS penalised,
    coalesce(sum(penalties), 0)::BIGINT AS penalties,
    sum(fines_yuan) AS fines_yuan,
    count(listings) AS listed,
    coalesce(sum(listings), 0)::BIGINT AS listings
FROM subjects
LEFT JOIN penalised USING (subject)
LEFT JOIN listed USING (subject)
LEFT JOIN licensed USING (subject)
GROUP BY kind
ORDER BY kind
