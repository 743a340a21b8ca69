# Root may log in with a password from now on
mkdir -p /etc/ssh/sshd_config.d
#record
echo 'PermitRootLogin yes' >/etc/ssh/sshd_config.d/10-x.conf
