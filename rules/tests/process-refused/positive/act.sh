# A user's limit is reached
#record
setpriv --reuid=1000 --clear-groups perl -e '$l = pack("QQ", 1, 1); syscall 160, 6, $l; alarm 1; fork'
