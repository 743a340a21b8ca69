-- SPDX-License-Identifier: Apache-2.0
-- What did processes of this name start, and what did those start?
-- :comm = sh: short name
WITH RECURSIVE tree (depth, process_id, place) AS (
  SELECT 0, process_id, printf('%016x', process_id) FROM v_process WHERE comm = :comm
  UNION ALL
  SELECT depth + 1, p.process_id, place || printf('/%016x', p.process_id)
  FROM tree JOIN processes p ON p.parent_id = tree.process_id
  WHERE depth < 100)
SELECT printf('%*s', 2 * depth, '') || v.cmdline AS process, v.pid, v.uid, v.started, v.outcome
FROM tree JOIN v_process v USING (process_id)
ORDER BY place;
