# A library beside those of the system
cp /bin/true /root/x
#record
cp /root/x /usr/lib/x86_64-linux-gnu/libx.so.1
echo /srv/lib >/etc/ld.so.conf.d/x.conf
