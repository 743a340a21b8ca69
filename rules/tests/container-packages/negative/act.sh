# apt-get on the host; asked what there is
fake apt-get
fake apk
#record
apt-get install -y less
in-container apk list
