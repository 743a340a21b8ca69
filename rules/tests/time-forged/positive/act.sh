# The time of one file given to another
#record
touch -r /bin/ls /usr/share/x
touch -d '2020-01-01' /etc/hosts
