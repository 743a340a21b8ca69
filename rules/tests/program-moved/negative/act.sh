# Renamed within the directories of programs by alternatives' tool; a copy; one's own program
posing dpkg
cp /bin/true /srv/mine
#record
dpkg -c 'mv /usr/bin/base32 /srv/b; true'
cp /usr/bin/base64 /srv/b64
mv /srv/mine /srv/yours
