# The same with sudo; a session of root
posing sudo
#record
sh -c 'echo 1000 >/proc/self/loginuid; exec sudo -c "/bin/sh -c true; true"'
sh -c true
sh -c 'echo 1000 >/proc/self/loginuid; exec setpriv --reuid=1000 --clear-groups sh -c true'
