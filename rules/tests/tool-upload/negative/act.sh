# Download, and a form with a value; publishing by a build
posing make
#record
curl -s -m 1 -o /srv/y http://127.0.0.1:9/
curl -s -m 1 -d name=ann http://127.0.0.1:9/
make -c 'curl -s -m 1 -T /etc/hostname http://127.0.0.1:9/; true'
