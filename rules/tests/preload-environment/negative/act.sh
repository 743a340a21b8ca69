# A library of the system; a build
cp /lib/x86_64-linux-gnu/libc.so.6 /tmp/libx.so
posing make
#record
LD_PRELOAD=libc.so.6 /bin/true
make -c 'LD_PRELOAD=/tmp/libx.so /bin/true; true'
