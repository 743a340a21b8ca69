# The name space of mounts of process 1
#record
nsenter -t 1 -m true
nsenter --target 1 --uts true
