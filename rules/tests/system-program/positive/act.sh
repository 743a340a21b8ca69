# A program copied over another, and one renamed over another
cp /bin/true /root/x
#record
cp /root/x /usr/bin/uptime
mv /root/x /usr/sbin/cron
