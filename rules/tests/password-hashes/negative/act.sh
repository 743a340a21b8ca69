# Read at a login, changed by an account's tool, refused; a file that anybody may read
posing sshd
#record
sshd -c 'read line </etc/shadow; true'
setpriv --reuid=1000 --clear-groups cat /etc/shadow 2>/dev/null
cat /etc/passwd
useradd -M bob
