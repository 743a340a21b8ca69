# A socket for whole packets, one for raw ones, and a capture
fake tcpdump
#record
perl -e 'socket S, 17, 3, 768'
perl -e 'socket S, 2, 3, 1'
tcpdump -i any port 21
