# apt-get in a container
fake apt-get
#record
in-container apt-get install -y nmap
