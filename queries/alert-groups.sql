-- SPDX-License-Identifier: Apache-2.0
-- Which alerts are the same thing over and over?
-- :severity = 7: the least severe ones to show, 0 to 7
-- :limit = 50: rows
SELECT fingerprint, priority, rule, sum(alerts) AS alerts, min(first_time) AS first_time,
  max(last_time) AS last_time, example
FROM v_group
WHERE severity <= :severity
GROUP BY fingerprint
ORDER BY alerts DESC, fingerprint
LIMIT :limit;
