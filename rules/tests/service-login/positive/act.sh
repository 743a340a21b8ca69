# A web server's shell goes on to another host
posing nginx
fake ssh
#record
nginx -c 'sh -c "ssh db1 id; true"; true'
setpriv --reuid=33 --clear-groups ssh db1
