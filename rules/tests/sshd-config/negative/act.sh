# Read by the server; the client's configuration; a package
mkdir -p /etc/ssh/sshd_config.d
touch /etc/ssh/sshd_config
posing sshd
posing dpkg
#record
sshd -c 'cat /etc/ssh/sshd_config; true'
echo 'Host *' >>/etc/ssh/ssh_config
dpkg -c 'echo >>/etc/ssh/sshd_config; true'
