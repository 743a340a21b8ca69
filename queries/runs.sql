-- SPDX-License-Identifier: Apache-2.0
-- With which program, command and rules was all this found, and did each run end?
SELECT r.run_id, r.status, r.started, r.version, r.command, r.alerts, f.name AS rule_file, f.sha256
FROM v_run r LEFT JOIN rule_files f USING (run_id)
ORDER BY r.run_id, f.seq;
