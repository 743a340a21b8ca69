-- SPDX-License-Identifier: Apache-2.0
-- Which rules of the newest run were switched on and found nothing?
SELECT r.name
FROM run_rules u JOIN rules r USING (rule_id)
WHERE u.run_id = (SELECT max(run_id) FROM runs) AND u.enabled
  AND NOT EXISTS (SELECT 1 FROM alert_counts n JOIN run_captures c USING (run_capture_id)
                  WHERE n.rule_id = u.rule_id AND c.run_id = u.run_id)
ORDER BY r.name;
