-- SPDX-License-Identifier: Apache-2.0
-- Which processes run as root in the session of another user?
SELECT p.started, p.hostname, p.pid, p.loginuid, u.name AS login, p.cmdline
FROM v_process p LEFT JOIN v_user u
  ON u.capture_id = p.capture_id AND u.container_id IS NULL AND u.uid = p.loginuid
WHERE p.uid = 0 AND p.loginuid <> 0
ORDER BY p.start_ts, p.process_id;
