# With grep and with find
#record
grep -rl 'BEGIN OPENSSH PRIVATE KEY' /home
find /home -name id_rsa
grep -ri password /srv
