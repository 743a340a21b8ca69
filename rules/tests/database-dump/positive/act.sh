# A web server's shell dumps a database
posing php-fpm
fake mysqldump
#record
php-fpm -c 'sh -c "mysqldump shop >/dev/shm/x; true"; true'
mysqldump -r /tmp/all.sql --all-databases
