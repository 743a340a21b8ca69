# Read by the server; other files beside it; written by the cloud's agent
mkdir -p /root/.ssh
touch /root/.ssh/authorized_keys
posing sshd
posing cloud-init
#record
sshd -c 'cat /root/.ssh/authorized_keys; true'
echo 'web2 ssh-ed25519 AAAA' >>/root/.ssh/known_hosts
cloud-init -c 'echo >>/root/.ssh/authorized_keys; true'
