# By a person at a terminal, by the session's manager
fake shutdown
rm -f /usr/sbin/shutdown
posing systemd-logind
#record
script -qec 'shutdown -r now' /dev/null
systemd-logind -c 'shutdown -r now; true'
