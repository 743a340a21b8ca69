-- SPDX-License-Identifier: Apache-2.0
-- Who was logged in, from where?
SELECT started, ended, hostname, session_id, user, login_user, origin, remote, via, shell, commands
FROM v_session
WHERE tty IS NOT NULL OR remote IS NOT NULL OR commands > 0
ORDER BY start_ts, session_id;
