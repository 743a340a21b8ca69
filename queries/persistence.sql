-- SPDX-License-Identifier: Apache-2.0
-- What was written where programs are started from by themselves?
SELECT first_time, hostname, pid, comm, path, creates, bytes_written, renames
FROM v_file
WHERE first_write_ts IS NOT NULL
  AND (path GLOB '/etc/cron*' OR path GLOB '/var/spool/cron/*' OR path GLOB '/etc/systemd/*'
       OR path GLOB '*/systemd/user/*' OR path GLOB '/lib/systemd/system/*'
       OR path GLOB '/usr/lib/systemd/system/*' OR path GLOB '/etc/init.d/*'
       OR path GLOB '/etc/rc*' OR path GLOB '/etc/profile*' OR path GLOB '*/.bashrc'
       OR path GLOB '*/.bash_profile' OR path GLOB '*/.profile' OR path GLOB '*/.zshrc'
       OR path GLOB '*/.ssh/authorized_keys' OR path = '/etc/ld.so.preload'
       OR path GLOB '/etc/udev/rules.d/*' OR path GLOB '/etc/pam.d/*')
ORDER BY first_ts, pid;
