# Other attributes; a file that is called like one; only listed
fake chattr
fake lsattr
#record
chattr +C /srv/images
chattr +d /srv/x-i
lsattr /root
