# Appended to, created anew, rotated
echo line >/var/log/auth.log
posing logrotate
#record
echo line >>/var/log/auth.log
echo first >/var/log/new.log
echo first >/srv/new.log; : >/srv/new.log
logrotate -c ': >/var/log/auth.log; true'
cat /var/log/auth.log
