-- SPDX-License-Identifier: Apache-2.0
-- Which alerts has nobody judged yet?
-- :limit = 200: rows
SELECT alert_id, time, hostname, priority, rule, output
FROM v_alert
WHERE verdict IS NULL
ORDER BY severity, ts, alert_id
LIMIT :limit;
