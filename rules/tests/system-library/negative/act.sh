# Loaded by every program; written by a package and by ldconfig
posing dpkg
posing ldconfig
#record
true
dpkg -c 'cp /bin/true /usr/lib/x86_64-linux-gnu/libp.so.1; true'
ldconfig -c 'echo >>/etc/ld.so.cache; true'
