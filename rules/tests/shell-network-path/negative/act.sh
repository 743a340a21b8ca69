# a file whose name only looks similar
mkdir -p /dev/shm/tcp
#record
bash -c 'exec 5<>/dev/shm/tcp; true' 2>/dev/null
bash -c 'ls /dev/tcpdump 2>/dev/null; true'
