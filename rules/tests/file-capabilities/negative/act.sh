# A small capability, its removal, and a package's script
fake setcap
posing dpkg
#record
setcap cap_net_raw+ep /usr/bin/ping
setcap -r /usr/bin/ping
dpkg -c 'setcap cap_sys_admin+ep /usr/bin/package; true'
