# Modules are listed; a device's manager tries to load one
posing systemd-udevd
echo no module >/root/x.ko
#record
lsmod >/dev/null 2>&1
systemd-udevd -c 'insmod /root/x.ko 2>/dev/null; true'
