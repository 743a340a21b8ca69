# Listed, one rule added, set up by a container engine
fake iptables
posing dockerd
#record
iptables -L -n
iptables -A INPUT -p tcp --dport 22 -j ACCEPT
dockerd -c 'iptables -t nat -F DOCKER; true'
