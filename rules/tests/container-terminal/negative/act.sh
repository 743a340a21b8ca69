# A shell of a container without terminal; a shell on a terminal of the host
posing containerd-shim
#record
in-container bash -c 'true; true'
containerd-shim -c 'in-container bash -c "true; true"; true'
script -qec 'bash -c "true; true"' /dev/shm/t
