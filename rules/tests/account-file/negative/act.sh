# Read by everybody; a new account by its tool; refused
#record
cat /etc/passwd >/dev/null
useradd -M bob
setpriv --reuid=1000 --clear-groups sh -c 'echo x >>/etc/passwd' 2>/dev/null
