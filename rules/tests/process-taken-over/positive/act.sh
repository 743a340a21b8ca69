# perl attaches to its child
#record
perl -e 'if (!($p = fork)) { sleep 1; exit } syscall 101, 16, $p, 0, 0; waitpid $p, 0; syscall 101, 17, $p, 0, 0; kill 9, $p; wait'
