# Links to other files; to the public half of a key
#record
ln -s /etc/passwd /tmp/p
ln -s /root/.ssh/id_rsa.pub /tmp/k
