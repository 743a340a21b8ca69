# Read; written at boot
over /proc/sys/kernel/core_pattern
posing systemd-sysctl
#record
cat /proc/sys/kernel/core_pattern
echo x >/srv/core_pattern
systemd-sysctl -c 'echo core >/proc/sys/kernel/core_pattern; true'
