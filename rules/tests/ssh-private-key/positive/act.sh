# A user's key and the host's own
mkdir -p /home/ann/.ssh; echo KEY >/home/ann/.ssh/id_ed25519; echo KEY >/etc/ssh/ssh_host_rsa_key
#record
cat /home/ann/.ssh/id_ed25519
cp /etc/ssh/ssh_host_rsa_key /tmp/k
