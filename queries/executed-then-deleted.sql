-- SPDX-License-Identifier: Apache-2.0
-- Which executed files were deleted afterwards?
SELECT x.time AS executed, d.time AS deleted, x.hostname, x.pid, x.exepath, x.cmdline,
  d.pid AS deleted_by_pid, d.comm AS deleted_by
FROM v_exec x JOIN v_file_change d
  ON d.path = x.exepath AND d.capture_id = x.capture_id AND d.op = 'delete' AND d.ts > x.ts
ORDER BY x.ts, d.ts;
