# A web server runs a command through a shell
posing nginx
#record
nginx -c '/bin/sh -c "cat /etc/hostname; true"; true'
