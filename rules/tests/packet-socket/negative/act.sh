# Ordinary sockets; ping
cp /usr/bin/perl /usr/bin/ping
#record
perl -e 'socket S, 2, 1, 0; socket T, 2, 2, 0'
ping -e 'socket S, 2, 3, 1'
setpriv --reuid=1000 --clear-groups perl -e 'socket S, 2, 3, 1'
