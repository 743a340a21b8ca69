# On the host; refused
#record
nsenter --mount=/proc/self/ns/mnt true
in-container setpriv --reuid=1000 --clear-groups nsenter --uts=/proc/self/ns/uts true 2>/dev/null
