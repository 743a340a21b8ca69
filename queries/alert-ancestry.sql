-- SPDX-License-Identifier: Apache-2.0
-- How did it come to this alert: the processes behind it, outermost first?
-- :alert = 1: alert_id
WITH RECURSIVE line (depth, process_id) AS (
  SELECT 0, process_id FROM v_alert WHERE alert_id = :alert
  UNION ALL
  SELECT depth + 1, p.parent_id
  FROM line JOIN processes p USING (process_id)
  WHERE depth < 100 AND p.parent_id IS NOT NULL)
SELECT p.pid, p.uid, p.started, p.exepath, p.cmdline
FROM line JOIN v_process p USING (process_id)
ORDER BY depth DESC;
