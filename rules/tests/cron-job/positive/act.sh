# A job dropped by an absolute path, one by a relative path, one renamed into place
printf '* * * * * root /bin/true\n' >/root/job
#record
cp /root/job /etc/cron.d/job
cd /etc/cron.d; echo '* * * * * root /bin/true' >second; cd /root
mv /root/job /etc/cron.daily/job
