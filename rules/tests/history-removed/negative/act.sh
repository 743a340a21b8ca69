# Appended to; a new one; another file
echo ls >/root/.bash_history
#record
echo id >>/root/.bash_history
: >/home/ann/.bash_history
touch /srv/history; rm /srv/history
ln -s /dev/null /srv/null
