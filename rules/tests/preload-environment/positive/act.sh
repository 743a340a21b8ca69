# A library in /tmp is injected into a program
cp /lib/x86_64-linux-gnu/libc.so.6 /tmp/libx.so
#record
LD_PRELOAD=/tmp/libx.so /bin/true
LD_AUDIT=/dev/shm/a.so /bin/true 2>/dev/null
sh -c 'LD_PRELOAD=/tmp/libx.so /bin/true; true'
