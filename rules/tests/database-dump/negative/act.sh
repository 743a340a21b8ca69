# A backup; a client that asks something
posing cron
fake mysqldump
fake redis-cli
#record
cron -c 'mysqldump -r /tmp/b.sql --all-databases; true'
mysqldump shop
redis-cli get x
