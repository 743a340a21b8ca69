# Other modes; a directory whose group is inherited; a package; refused
cp /bin/dash /srv/sh
mkdir /srv/shared
posing dpkg
#record
chmod 755 /srv/sh
chmod 2775 /srv/shared
dpkg -c 'chmod 4755 /srv/sh; true'
setpriv --reuid=1000 --clear-groups chmod 4755 /srv/sh 2>/dev/null
