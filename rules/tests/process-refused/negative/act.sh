# Within the limit; a thread's failure for another reason
#record
perl -e 'fork'
perl -e 'syscall 56, 0x10000, 0, 0, 0, 0'
