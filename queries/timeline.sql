-- SPDX-License-Identifier: Apache-2.0
-- What happened in order, of all kinds, around a time?
-- :from = : time, such as 2026-03-02T11:04:17
-- :to = : time
-- :limit = 1000: rows
SELECT time, hostname, kind, pid, comm, text
FROM v_timeline
WHERE ts >= ifnull(strftime('%s', nullif(:from, '')) * 1000000000, 0)
  AND ts <= ifnull(strftime('%s', nullif(:to, '')) * 1000000000, 9223372036854775807)
ORDER BY ts, evt_num, kind = 'alert'
LIMIT :limit;
