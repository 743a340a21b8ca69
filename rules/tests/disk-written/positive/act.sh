# A plain file stands for the disk
touch /dev/sda
#record
dd if=/dev/null of=/dev/sda 2>/dev/null
echo x >/dev/sda
