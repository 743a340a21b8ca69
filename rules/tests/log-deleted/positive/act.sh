# Deleted by a relative path, and moved away
echo line >/var/log/auth.log; echo line >/var/log/syslog
#record
cd /var/log; rm auth.log; mv syslog /tmp/x
