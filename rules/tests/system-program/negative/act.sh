# Executed; written by a package; make install; a copy of a system program to elsewhere
posing dpkg
posing make
#record
/usr/bin/true
dpkg -c 'cp /bin/true /usr/bin/package; true'
make -c 'cp /bin/true /usr/local/bin/built; true'
cp /usr/bin/true /srv/true
