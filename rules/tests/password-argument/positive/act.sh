# sshpass with the password in sight
fake sshpass
#record
sshpass -p secret ssh root@10.0.0.9 id
