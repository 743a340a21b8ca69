-- SPDX-License-Identifier: Apache-2.0
-- How many alerts are there of each severity?
SELECT priority, alerts FROM v_severity_count WHERE alerts > 0 ORDER BY severity;
