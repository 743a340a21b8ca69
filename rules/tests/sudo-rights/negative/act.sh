# Edited with visudo; written by a package; refused
mkdir -p /etc/sudoers.d
posing visudo
posing dpkg
#record
visudo -c 'echo >/etc/sudoers.d/ok; true'
dpkg -c 'echo >/etc/sudoers.d/package; true'
setpriv --reuid=1000 --clear-groups sh -c 'echo >/etc/sudoers.d/refused' 2>/dev/null
