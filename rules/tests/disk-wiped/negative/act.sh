# Shown; an image of a disk, zeroes into nothing
fake wipefs
fake dd
#record
wipefs /dev/sdb
dd if=/dev/sdb of=/srv/image
dd if=/dev/zero of=/dev/null count=1
