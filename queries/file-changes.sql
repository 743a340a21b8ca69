-- SPDX-License-Identifier: Apache-2.0
-- Which names were renamed, linked or deleted, which modes and owners changed?
-- :op = *: rename, delete, chmod ...
-- :path = *: path, may have wildcards
SELECT time, hostname, pid, comm, op, path, target, detail
FROM v_file_change
WHERE op GLOB :op AND ifnull(path, '') GLOB :path
ORDER BY ts, evt_num;
