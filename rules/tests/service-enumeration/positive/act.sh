# Typed into a web shell: who am I, where am I, what runs here
posing php-fpm8.2
posing runner
#record
php-fpm8.2 -c 'runner -c "id; uname -a; true"; true'
