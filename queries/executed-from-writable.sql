-- SPDX-License-Identifier: Apache-2.0
-- What was executed from directories that everybody may write to, or from memory?
SELECT time, hostname, pid, uid, exepath, exe_from_memfd AS from_memory, cmdline
FROM v_exec
WHERE exe_from_memfd OR exepath GLOB '/tmp/*' OR exepath GLOB '/var/tmp/*'
  OR exepath GLOB '/dev/shm/*' OR exepath GLOB '/run/user/*'
ORDER BY ts;
