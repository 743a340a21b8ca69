-- SPDX-License-Identifier: Apache-2.0
-- Which remote addresses received the most bytes?
-- :limit = 50: rows
SELECT remote_ip, group_concat(DISTINCT comm) AS processes, count(*) AS connections,
  sum(bytes_out) AS bytes_out, sum(bytes_in) AS bytes_in, min(first_time) AS first_time
FROM v_connection
WHERE remote_ip IS NOT NULL
GROUP BY remote_ip
ORDER BY bytes_out DESC, remote_ip
LIMIT :limit;
