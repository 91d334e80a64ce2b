-- zh: 政策效果：列入名单或被采取措施前后的处罚，与相似主体比较
-- en: Policy effect: penalties a year before and after being put on a list, or under a measure, against others alike (same kind, city, penalties before) never listed
-- uses: subjects, listing_changes, measure_changes
-- takes: code
WITH
    entries AS (
        SELECT subject, day FROM listing_changes WHERE list_code = $code AND entered
        UNION ALL
        SELECT subject, day FROM measure_changes WHERE measure = $code AND entered),
    cohort AS (SELECT subject, min(day) AS day FROM entries GROUP BY subject HAVING min(day) BETWEEN $since AND $until),
    middle AS (SELECT coalesce(to_days((avg(day - DATE '1970-01-01'))::INTEGER) + DATE '1970-01-01', $since)::DATE AS day FROM cohort),
    people AS (
        SELECT subject, cohort.day, true AS listed FROM cohort
        UNION ALL
        SELECT subject, middle.day, false FROM subjects, middle
        WHERE subject NOT IN (SELECT subject FROM listing_changes)),
    counted AS (
        SELECT subject, listed,
            count(*) FILTER (decided_on >= people.day - 365 AND decided_on < people.day) AS before,
            count(*) FILTER (decided_on >= people.day AND decided_on < people.day + 365) AS after
        FROM people LEFT JOIN penalty_now USING (subject) GROUP BY ALL),
    alike AS (
        SELECT listed, kind, city, least(before, 3) AS class, count(*) AS subjects,
            sum(before) AS before, sum(after) AS after, coalesce(var_samp(after - before), 0) AS variance
        FROM counted JOIN subjects USING (subject) GROUP BY ALL),
    matched AS (
        SELECT c.subjects AS weight, c.before AS before, c.after AS after, c.variance AS variance, o.subjects AS others,
            o.before / o.subjects AS others_before, o.after / o.subjects AS others_after, o.variance AS others_variance
        FROM alike c JOIN alike o ON c.kind = o.kind AND c.city = o.city AND c.class = o.class AND c.listed AND NOT o.listed),
    summed AS (
        SELECT sum(weight) AS n, sum(others)::BIGINT AS others, sum(before) / sum(weight) AS before, sum(after) / sum(weight) AS after,
            sum(others_before * weight) / sum(weight) AS others_before, sum(others_after * weight) / sum(weight) AS others_after,
            sqrt(sum(weight * variance + weight * weight * others_variance / others)) / sum(weight) AS error
        FROM matched)
SELECT
    coalesce(n, 0)::BIGINT AS matched,
    (SELECT count(*) FROM cohort) AS entered,
    coalesce(others, 0) AS others,
    round(100 * before, 2) AS per_100_before,
    round(100 * after, 2) AS per_100_after,
    round(100 * others_before, 2) AS others_per_100_before,
    round(100 * others_after, 2) AS others_per_100_after,
    round(100 * (after - before - others_after + others_before), 2) AS effect_per_100,
    round(100 * (after - before - others_after + others_before - 1.96 * error), 2) AS effect_low,
    round(100 * (after - before - others_after + others_before + 1.96 * error), 2) AS effect_high
FROM summed
