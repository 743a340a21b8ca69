-- SPDX-License-Identifier: Apache-2.0
-- Which modules were loaded, and what was mounted?
SELECT time, hostname, kind, pid, comm, text
FROM v_timeline
WHERE kind IN ('mount', 'umount', 'module load', 'module unload')
ORDER BY ts, evt_num;
