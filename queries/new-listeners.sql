-- SPDX-License-Identifier: Apache-2.0
-- Which ports were opened during the capture?
SELECT first_time, hostname, pid, comm, exepath, proto, local_ip, local_port
FROM v_listener
WHERE NOT from_start AND proto <> 'unix'
ORDER BY first_ts;
