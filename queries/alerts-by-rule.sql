-- SPDX-License-Identifier: Apache-2.0
-- Which rules fired, how often, when first and last?
SELECT rule, priority, alerts, first_time, last_time
FROM v_rule_count
ORDER BY severity, alerts DESC, rule;
