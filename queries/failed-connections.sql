-- SPDX-License-Identifier: Apache-2.0
-- Which connections could not be made, and how often was it tried?
SELECT comm, coalesce(remote_ip, path) AS remote, remote_port,
  CASE error WHEN 2 THEN 'no such file' WHEN 13 THEN 'not permitted' WHEN 101 THEN 'no network'
    WHEN 110 THEN 'timed out' WHEN 111 THEN 'refused' WHEN 113 THEN 'no route' ELSE error END AS why,
  sum(attempts) AS attempts, count(*) AS connections
FROM v_connection
WHERE state = 'failed'
GROUP BY comm, remote, remote_port, error
ORDER BY attempts DESC, comm, remote, remote_port;
