# Set-user-id files, and a script for that
printf 'true\n' >/tmp/linpeas.sh
#record
find /srv -perm -4000 -type f
sh /tmp/linpeas.sh
getcap -r /srv
