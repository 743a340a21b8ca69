-- SPDX-License-Identifier: Apache-2.0
-- Can this evidence be relied on: hashes, seals, damage and losses of the captures?
SELECT c.path, c.hostname, c.sha256, c.seal, c.seal_matches, c.gaps, c.lost_events, c.interrupted,
  (SELECT group_concat(l.what || ' ' || l.count, ', ') FROM v_loss l
   WHERE l.capture_id = c.capture_id) AS not_followed
FROM v_capture c
ORDER BY c.capture_id;
