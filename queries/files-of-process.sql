-- SPDX-License-Identifier: Apache-2.0
-- Which files did processes of this name work with?
-- :comm = sh: short name
SELECT pid, path, opens, creates, bytes_read, bytes_written, deletes, renames, execs
FROM v_file
WHERE comm = :comm
ORDER BY pid, first_evt, path;
