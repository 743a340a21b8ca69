# Data there, read by a program from elsewhere
echo data >/dev/shm/x
#record
cat /dev/shm/x
