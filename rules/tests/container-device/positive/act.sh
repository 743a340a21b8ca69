# The disk and the log of the kernel
touch /dev/sda1 /dev/kmsg
#record
in-container head -c 1 /dev/sda1
in-container sh -c 'read line </dev/kmsg; true'
