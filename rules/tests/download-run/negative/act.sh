# Fetched and looked at; fetched, and something else goes into a shell
#record
bash -c 'curl -s http://127.0.0.1:1/install.sh | head -1; true'
bash -c 'echo true; wc -l </etc/hostname; true'
