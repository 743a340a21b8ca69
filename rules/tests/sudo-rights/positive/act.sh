# A user may do everything without a password
mkdir -p /etc/sudoers.d
#record
echo 'ann ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ann
cp /etc/sudoers.d/ann /root/s; mv /root/s /etc/sudoers.d/second
