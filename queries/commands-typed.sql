-- SPDX-License-Identifier: Apache-2.0
-- What was typed in the sessions?
SELECT time, hostname, session_id, user, login_user, remote, cwd, cmdline
FROM v_command
ORDER BY ts, session_id, seq;
