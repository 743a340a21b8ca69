# Ordinary names; a directory above
#record
mkdir /srv/a.b /srv/..a
cp /bin/true /srv/a.b/x
cd /srv/a.b; ../a.b/x
