# Unpacked; other things packed; a backup of cron
posing cron
#record
tar tf /tmp/none /etc 2>/dev/null
tar czf /tmp/z.tgz -C /srv .
cron -c 'tar czf /tmp/b.tgz /etc/ssh 2>/dev/null; true'
