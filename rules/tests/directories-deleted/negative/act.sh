# A directory of one's own, at the end of a similar name; a package's script
fake rm
fake find
posing dpkg
#record
rm -rf /srv/build/home
rm -rf ./etc
rm /etc/motd
find /srv/cache -type f -delete
dpkg -c 'rm -rf /var/www; true'
