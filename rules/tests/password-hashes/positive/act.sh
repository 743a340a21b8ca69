# By an absolute path, by one with detours, and by a relative one
#record
cat /etc/shadow
cat /srv/../etc/./shadow
cd /etc; head -1 shadow
