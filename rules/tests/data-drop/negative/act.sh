# To a host of one's own
#record
curl -s -m 1 -d x=1 http://127.0.0.1:9/api/webhooks/1
sh -c 'echo pastebin; true'
