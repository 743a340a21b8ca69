# On the host; a service locks itself up; refused
mount --bind / /mnt
cp /usr/bin/perl /usr/sbin/named
#record
chroot /mnt true
in-container named -e 'chroot "/mnt"'
in-container setpriv --reuid=1000 --clear-groups perl -e 'chroot "/mnt"'
