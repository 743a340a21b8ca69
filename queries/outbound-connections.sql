-- SPDX-License-Identifier: Apache-2.0
-- Which connections went out, to where, and how many bytes went each way?
SELECT first_time, hostname, pid, comm, proto, remote_ip, remote_port, remote_name, state,
  bytes_out, bytes_in
FROM v_connection
WHERE direction = 'out' AND remote_ip IS NOT NULL
ORDER BY first_ts, connection_id;
