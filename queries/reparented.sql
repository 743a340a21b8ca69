-- SPDX-License-Identifier: Apache-2.0
-- Which processes outlived the one that started them?
SELECT hostname, pid, comm, ppid AS started_by, last_ppid AS now_below, started, cmdline
FROM v_process
WHERE last_ppid <> ppid
ORDER BY start_ts, process_id;
