# A directory of three dots, with a program in it
#record
mkdir /srv/...
cp /bin/true /srv/.../x
/srv/.../x
