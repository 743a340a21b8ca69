# Two ways to send a file
echo data >/srv/data
#record
curl -s -m 1 -T /srv/data http://127.0.0.1:9/
curl -s -m 1 -F file=@/srv/data http://127.0.0.1:9/
wget -q -T 1 -t 1 --post-file=/srv/data http://127.0.0.1:9/
