# To a chat's hook, and to a place for pastes
#record
curl -s -m 1 -d x=1 https://discord.com/api/webhooks/1/a
sh -c 'wget -q -T 1 -t 1 -O - https://pastebin.com/raw/abc; true'
