# Read; written by a program for disks; another device
touch /dev/sda
posing fdisk
#record
head -c 512 /dev/sda
fdisk -c 'echo x >/dev/sda; true'
echo x >/dev/null
