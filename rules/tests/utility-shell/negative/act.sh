# find with a command line for a shell, as scripts have it
#record
find /etc/hostname -exec /bin/sh -c 'wc -c "$1"; true' x {} \;
