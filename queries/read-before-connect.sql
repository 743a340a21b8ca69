-- SPDX-License-Identifier: Apache-2.0
-- Which files, but for libraries, were read by processes of this name before they connected out?
-- :comm = *: short name, may have wildcards
SELECT f.hostname, f.pid, f.comm, f.path, f.bytes_read, n.first_time AS connected, n.remote_ip,
  n.remote_port
FROM v_file f JOIN (SELECT process_id, min(first_ts) AS ts FROM v_connection
                    WHERE direction = 'out' AND remote_ip IS NOT NULL GROUP BY process_id) c
  USING (process_id)
JOIN v_connection n ON n.process_id = c.process_id AND n.first_ts = c.ts
WHERE f.first_read_ts < c.ts AND f.comm GLOB :comm
  AND NOT (f.path GLOB '*.so' OR f.path GLOB '*.so.[0-9]*' OR f.path GLOB '*.pyc')
ORDER BY c.ts, f.first_read_ts;
