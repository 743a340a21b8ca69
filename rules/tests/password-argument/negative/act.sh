# The password from a file
fake sshpass
#record
sshpass -f /root/.pass ssh root@10.0.0.9 id
