# Two ways to throw a log's content away
echo line >/var/log/auth.log; echo line >/var/log/syslog
#record
: >/var/log/auth.log
cp /dev/null /var/log/syslog
