# Read by the service; a package's file
mkdir -p /etc/audit/rules.d /etc/logrotate.d
posing dpkg
posing auditd
#record
auditd -c 'cat /etc/audit/* >/dev/null 2>&1; true'
dpkg -c 'echo >/etc/logrotate.d/package; true'
