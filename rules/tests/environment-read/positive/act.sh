# That of process 1
#record
cat /proc/1/environ
