# A shell of a container without terminal; a shell on a terminal of the host
#record
in-container bash -c 'true; true'
script -qec 'bash -c "true; true"' /dev/shm/t
