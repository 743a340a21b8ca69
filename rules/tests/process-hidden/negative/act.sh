# A mount elsewhere; one that is refused
mkdir /srv/empty /srv/other
#record
mount --bind /srv/empty /srv/other; umount /srv/other
mount --bind /srv/missing /proc/1 2>/dev/null
