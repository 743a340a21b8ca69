# The same programs below a login; other programs below the server
posing php-fpm8.2
posing sshd
#record
sshd -c 'id; uname -a; true'
php-fpm8.2 -c 'cat /etc/hostname; true'
