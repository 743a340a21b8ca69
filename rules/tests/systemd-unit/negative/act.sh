# Read; a unit of a package; systemd's own
posing dpkg
posing systemctl
#record
cat /etc/systemd/system/*.service >/dev/null 2>&1
dpkg -c 'echo x >/lib/systemd/system/package.service; true'
systemctl -c 'mkdir -p /etc/systemd/system/cron.service.d; echo x >/etc/systemd/system/cron.service.d/override.conf; true'
