# The namespace of mounts of process 1
#record
in-container nsenter --mount=/proc/1/ns/mnt true
