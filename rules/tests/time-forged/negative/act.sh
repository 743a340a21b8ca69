# The present time; a file of one's own; a build
posing make
#record
touch /srv/a
touch -d '2020-01-01' /srv/a
make -c 'touch -r /bin/ls /srv/a; true'
