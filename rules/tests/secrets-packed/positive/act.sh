# The configuration and the homes of a host
#record
tar czf /tmp/x.tgz /etc/ssh 2>/dev/null
tar -cf /tmp/y.tar /home
