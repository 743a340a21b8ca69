# The program called [; a name of one's own
#record
[ 1 = 1 ]
/usr/bin/[ 1 = 1 ]
perl -e '$n = "worker-3"; syscall 157, 15, $n, 0, 0, 0'
