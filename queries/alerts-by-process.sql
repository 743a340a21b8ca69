-- SPDX-License-Identifier: Apache-2.0
-- Which programs raise which alerts, and how often?
-- :limit = 50: rows
SELECT rule, comm, exepath, count(*) AS alerts,
  strftime('%Y-%m-%dT%H:%M:%SZ', min(ts) / 1000000000, 'unixepoch') AS first_time,
  strftime('%Y-%m-%dT%H:%M:%SZ', max(ts) / 1000000000, 'unixepoch') AS last_time
FROM v_alert
GROUP BY rule, comm, exepath
ORDER BY alerts DESC, rule, comm, exepath
LIMIT :limit;
