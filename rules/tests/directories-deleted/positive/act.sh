# Programs that do nothing are told to delete all
fake rm
fake find
#record
rm -rf --no-preserve-root /
rm -rf /home
find /var/log -type f -delete
