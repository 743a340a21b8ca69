# Rotated; a file elsewhere; one that is not there
echo line >/var/log/auth.log
posing logrotate
#record
mv /var/log/auth.log /var/log/auth.log.1
logrotate -c 'rm /var/log/auth.log.1; true'
touch /tmp/y; rm /tmp/y
rm /var/log/missing 2>/dev/null
