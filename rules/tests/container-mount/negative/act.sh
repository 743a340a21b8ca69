# A file system in memory; on the host
mkdir /srv/m /srv/n
#record
in-container mount -t tmpfs tmpfs /srv/m
mount --bind /srv/n /srv/m
