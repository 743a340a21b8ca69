# Read by a shell; an editor; the home of a new account; a similar name
posing useradd
posing vim
#record
bash -c '. /etc/profile; true'
vim -c 'echo true >>/home/ann/.profile; true'
useradd -c 'echo >>/home/ann/.bashrc; true'
echo true >/home/ann/bashrc.txt
