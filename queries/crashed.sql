-- SPDX-License-Identifier: Apache-2.0
-- Which processes were ended by a signal?
SELECT ended, hostname, pid, outcome, cmdline
FROM v_process
WHERE outcome GLOB 'signal*'
ORDER BY end_ts;
