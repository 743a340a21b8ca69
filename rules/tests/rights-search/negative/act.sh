# Other searches
#record
find /srv -perm 644
getcap /bin/true
find /srv -type f -writable
