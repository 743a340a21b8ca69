-- SPDX-License-Identifier: Apache-2.0
-- Which processes execute a file that was written in this capture?
SELECT x.time, x.hostname, x.pid, x.exepath, w.pid AS writer_pid, w.comm AS writer, x.cmdline
FROM v_exec x JOIN v_file w ON w.path = x.exepath AND w.capture_id = x.capture_id
WHERE w.first_write_ts < x.ts
ORDER BY x.ts, w.first_write_ts;
