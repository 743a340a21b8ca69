# A probe for a port, and data between two places
fake nc
fake socat
#record
nc -z 127.0.0.1 22
socat -u FILE:/srv/x TCP:127.0.0.1:9000
