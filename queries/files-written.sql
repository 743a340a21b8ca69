-- SPDX-License-Identifier: Apache-2.0
-- Which files were created or written, and how much?
-- :path = *: path, may have wildcards
-- :limit = 100: rows
SELECT path, sum(creates) AS creates, sum(bytes_written) AS bytes_written,
  group_concat(DISTINCT comm) AS processes, min(first_time) AS first_time
FROM v_file
WHERE first_write_ts IS NOT NULL AND path GLOB :path
GROUP BY capture_id, path
ORDER BY bytes_written DESC, path
LIMIT :limit;
