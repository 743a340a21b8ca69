-- SPDX-License-Identifier: Apache-2.0
-- How many alerts were there in each hour, by severity?
SELECT strftime('%Y-%m-%dT%H:00:00Z', (ts / 3600000000000) * 3600, 'unixepoch') AS hour,
  severity, count(*) AS alerts
FROM v_alert
GROUP BY ts / 3600000000000, severity
ORDER BY ts / 3600000000000, severity;
