# wtmp edited by something that logs nobody in
#record
echo x >>/var/log/wtmp
