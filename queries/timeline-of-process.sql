-- SPDX-License-Identifier: Apache-2.0
-- What did the processes with this number do, in order?
-- :pid = 1: process number
SELECT time, hostname, kind, comm, text
FROM v_timeline
WHERE pid = :pid
ORDER BY ts, evt_num, kind = 'alert';
