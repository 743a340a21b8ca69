-- SPDX-License-Identifier: Apache-2.0
-- Who worked with files of this name?
-- :path = /etc/shadow: path, may have wildcards
SELECT first_time, hostname, pid, comm, path, opens, refused, creates, bytes_read, bytes_written,
  renames, deletes
FROM v_file
WHERE path GLOB :path
ORDER BY first_ts, pid;
