# Deleted by a relative path, emptied, and linked to nowhere
echo ls >/root/.bash_history; echo ls >/home/ann/.bash_history; touch /home/ann/.psql_history
#record
cd /root; rm .bash_history
: >/home/ann/.bash_history
ln -sf /dev/null /root/.mysql_history
rm /home/ann/.psql_history
