# A device for everybody; the disk is not there; on the host
touch /dev/sda1
#record
in-container head -c 1 /dev/zero
in-container head -c 1 /dev/sdz1 2>/dev/null
head -c 1 /dev/sda1
