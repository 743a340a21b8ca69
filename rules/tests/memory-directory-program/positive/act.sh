# A program dropped into /dev/shm, run by a relative path
cp /bin/true /dev/shm/x
#record
cd /dev/shm && ./x
