# Written at a login, read by last
posing sshd
#record
sshd -c 'echo x >>/var/log/wtmp; true'
echo x >>/var/log/wtmp.txt
cat /var/log/wtmp
