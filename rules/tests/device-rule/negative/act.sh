# Read; a package's rule
mkdir -p /etc/udev/rules.d /lib/udev/rules.d
posing dpkg
posing systemd-udevd
#record
systemd-udevd -c 'cat /lib/udev/rules.d/* >/dev/null 2>&1; true'
dpkg -c 'echo x >/lib/udev/rules.d/60-package.rules; true'
echo x >/srv/99-x.rules
