# A tracer traces its child; somebody else's process is refused
posing gdb
#record
strace -qq -o /dev/null true 2>/dev/null
gdb -c 'perl -e "if (!(\$p = fork)) { sleep 1; exit } syscall 101, 16, \$p, 0, 0; kill 9, \$p; wait"; true'
setpriv --reuid=1000 --clear-groups perl -e 'syscall 101, 16, 1, 0, 0'
