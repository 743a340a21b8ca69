-- SPDX-License-Identifier: Apache-2.0
-- Which shells and interpreters were given code on the command line?
SELECT time, hostname, pid, uid, cmdline
FROM v_exec
WHERE (comm IN ('sh', 'bash', 'dash', 'zsh', 'ksh', 'busybox') OR comm GLOB 'python*'
       OR comm GLOB 'perl*' OR comm GLOB 'ruby*' OR comm GLOB 'php*' OR comm GLOB 'node*')
  AND EXISTS (SELECT 1 FROM json_each(args) a WHERE a.value IN ('-c', '-e', '-r'))
ORDER BY ts;
