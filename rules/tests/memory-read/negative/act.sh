# A debugger; own memory; other files of a process
posing gdb
#record
gdb -c 'exec 3</proc/$PPID/mem; true'
perl -e 'open F, "<", "/proc/self/mem"'
cat /proc/1/status >/dev/null
