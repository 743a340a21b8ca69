# A scan of ports
fake nmap
#record
nmap -sS 10.0.0.0/24
