# Into the disk of the host
mount --bind / /mnt
#record
in-container chroot /mnt true
