# A debugger; own memory; read only by the same program that may
posing gdb
#record
gdb -c 'exec 3<>/proc/$PPID/mem; true'
perl -e 'open F, "+<", "/proc/self/mem"'
