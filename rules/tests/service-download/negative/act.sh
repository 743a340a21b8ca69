# An administrator downloads; a server calls something else
posing mysqld
posing sshd
#record
sshd -c 'curl -s -o /var/tmp/x http://127.0.0.1:1/x; true'
mysqld -c 'gzip -c /etc/hostname >/dev/null; true'
