-- SPDX-License-Identifier: Apache-2.0
-- Which names were looked up, by whom, and what was the answer?
SELECT first_time, hostname, pid, comm, name, type, queries, failures, addresses
FROM v_dns
ORDER BY first_ts, name, type;
