# A program dropped into /var/tmp
cp /bin/true /var/tmp/update
#record
/var/tmp/update
