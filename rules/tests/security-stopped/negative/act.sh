# Asked for their state; another service; a package's update
fake systemctl
fake auditctl
posing dpkg
#record
systemctl status auditd
systemctl stop cups
auditctl -l
dpkg -c 'systemctl stop rsyslog; true'
