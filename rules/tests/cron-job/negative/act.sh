# Read; written by cron's own tool and by a package; refused
posing crontab
posing dpkg
#record
cat /etc/cron.d/* >/dev/null
crontab -c 'echo "* * * * * true" >/var/spool/cron/crontabs/root; true'
dpkg -c 'echo "@daily root true" >/etc/cron.d/package; true'
setpriv --reuid=1000 --clear-groups sh -c 'echo x >/etc/cron.d/refused' 2>/dev/null
