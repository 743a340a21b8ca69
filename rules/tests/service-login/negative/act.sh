# A person's login; a server that does something else
posing sshd
posing nginx
fake ssh
#record
sshd -c 'ssh db1; true'
nginx -c 'ls /srv; true'
