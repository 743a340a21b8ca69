# A snapshot and a directory of backups
fake zfs
fake rm
#record
zfs destroy -r tank/home@daily
rm -rf /var/backups/db
