-- SPDX-License-Identifier: Apache-2.0
-- Which processes connected out although no process above them has a terminal?
WITH RECURSIVE above (connection_id, depth, process_id, tty) AS (
  SELECT n.connection_id, 0, p.process_id, nullif(p.tty, 0)
  FROM v_connection n JOIN processes p USING (process_id)
  WHERE n.direction = 'out' AND n.remote_ip IS NOT NULL
  UNION ALL
  SELECT a.connection_id, a.depth + 1, p.process_id, nullif(p.tty, 0)
  FROM above a JOIN processes c ON c.process_id = a.process_id
  JOIN processes p ON p.process_id = c.parent_id
  WHERE a.depth < 100)
SELECT n.first_time, n.hostname, n.pid, n.comm, n.exepath, n.proto, n.remote_ip, n.remote_port,
  n.state
FROM v_connection n
WHERE n.connection_id IN (SELECT connection_id FROM above GROUP BY connection_id
                          HAVING count(tty) = 0)
ORDER BY n.first_ts, n.connection_id;
