# The disk of the host, which fails, and cgroups
mkdir /srv/m
#record
in-container mount -t ext4 /dev/sda1 /srv/m 2>/dev/null
in-container perl -e 'syscall 165, $d = "x", $t = "/srv/m", $f = "proc", 0, 0'
