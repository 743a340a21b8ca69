# An empty directory over that of a process
mkdir /srv/empty
#record
sleep 0.2 & mount --bind /srv/empty /proc/$!; umount /proc/$!
