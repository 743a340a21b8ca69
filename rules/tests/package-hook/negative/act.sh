# Read by apt; written by apt; lists that were fetched
mkdir -p /etc/apt/apt.conf.d /var/lib/apt/lists
posing apt-get
#record
apt-get -c 'cat /etc/apt/apt.conf.d/* >/dev/null 2>&1; echo >/etc/apt/apt.conf.d/01auto; true'
echo x >/var/lib/apt/lists/x
