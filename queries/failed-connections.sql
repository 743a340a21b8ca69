-- SPDX-License-Identifier: Apache-2.0
-- Which connections could not be made, and how often was it tried?
SELECT comm, remote_ip, remote_port, error, sum(attempts) AS attempts, count(*) AS connections
FROM v_connection
WHERE state = 'failed'
GROUP BY comm, remote_ip, remote_port, error
ORDER BY attempts DESC, comm, remote_ip, remote_port;
