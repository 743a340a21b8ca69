# One's own; another file; refused; ps
#record
cat /proc/self/environ
cat /proc/1/cmdline
setpriv --reuid=1000 --clear-groups cat /proc/1/environ 2>/dev/null
ps ewww >/dev/null
