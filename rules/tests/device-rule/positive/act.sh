# A rule of udev that runs a program; a handler of a binary format
mkdir -p /etc/udev/rules.d
#record
echo 'RUN+="/bin/true"' >/etc/udev/rules.d/99-x.rules
echo 'install usb-storage /bin/true' >/etc/modprobe.d/x.conf
