# The public half; used by ssh
mkdir -p /home/ann/.ssh; echo KEY >/home/ann/.ssh/id_ed25519; echo PUB >/home/ann/.ssh/id_ed25519.pub
posing ssh
#record
cat /home/ann/.ssh/id_ed25519.pub
ssh -c 'read line </home/ann/.ssh/id_ed25519; true'
