# Monitoring; a file that is called like it
fake fping
posing smokeping
#record
smokeping -c 'fping 10.0.0.1; true'
cat /dev/null nmap 2>/dev/null
