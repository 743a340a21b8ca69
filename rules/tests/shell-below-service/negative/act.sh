# A web server starts a helper that is no shell; a shell is started by a login; Apache's log pipe
posing apache2
posing sshd
fake rotatelogs
#record
apache2 -c '/bin/true; true'
sshd -c '/bin/sh -c "true; true"; true'
apache2 -c '/bin/sh -c "rotatelogs /var/log/access.log 86400; true"; true'
