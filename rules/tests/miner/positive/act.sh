# By name, and by the address of a pool under another name
fake xmrig
fake sshd2
#record
xmrig -c /tmp/c.json
sshd2 -o stratum+tcp://pool.example:3333 -u 4A
