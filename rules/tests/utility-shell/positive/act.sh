# find that starts a shell instead of working on files
#record
find /etc/hostname -exec /bin/sh \;
