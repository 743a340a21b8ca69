# Auditing and logging go
fake systemctl
fake auditctl
fake pkill
#record
systemctl stop auditd
pkill -9 rsyslogd
auditctl -e 0
