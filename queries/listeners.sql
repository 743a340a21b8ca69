-- SPDX-License-Identifier: Apache-2.0
-- Which processes waited for connections or datagrams?
SELECT hostname, pid, comm, proto, local_ip, local_port, path, first_time, from_start
FROM v_listener
WHERE proto <> 'unix'
ORDER BY hostname, proto, local_port, pid;
