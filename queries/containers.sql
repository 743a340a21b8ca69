-- SPDX-License-Identifier: Apache-2.0
-- Which containers were there, with how many processes and alerts?
SELECT n.hostname, n.container_id, n.name, n.image, n.privileged, n.processes,
  (SELECT count(*) FROM v_alert a WHERE a.container_id = n.container_id
   AND a.capture_id = n.capture_id) AS alerts
FROM v_container n
ORDER BY alerts DESC, n.container_id;
