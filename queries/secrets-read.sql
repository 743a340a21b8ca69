-- SPDX-License-Identifier: Apache-2.0
-- Who read files with passwords, keys or tokens?
SELECT first_time, hostname, pid, comm, uid, path, bytes_read, refused
FROM v_file
WHERE (path IN ('/etc/shadow', '/etc/gshadow', '/etc/sudoers')
       OR path GLOB '*/.ssh/id_*' OR path GLOB '*/.aws/credentials' OR path GLOB '*/.kube/config'
       OR path GLOB '*/.netrc' OR path GLOB '*/.git-credentials' OR path GLOB '*.kdbx'
       OR path GLOB '/run/secrets/*' OR path GLOB '/var/run/secrets/*')
  AND (reads > 0 OR opens > 0 OR refused > 0)
ORDER BY first_ts, pid;
