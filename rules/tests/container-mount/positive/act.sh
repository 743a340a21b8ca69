# The disk of the host, which fails, another proc, and a directory over another
mkdir /srv/m
#record
in-container mount -t ext4 /dev/sda1 /srv/m 2>/dev/null
in-container perl -e 'syscall 165, $d = "x", $t = "/srv/m", $f = "proc", 0, 0'
in-container mount --bind /etc /srv/m
