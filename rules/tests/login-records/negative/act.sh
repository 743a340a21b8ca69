# Written at a login, read by last
posing sshd
#record
sshd -c 'echo x >>/var/log/wtmp; true'
cat /var/log/wtmp
