# An ordinary account and group
#record
useradd -M -u 1005 bob
usermod -aG nogroup ann
usermod -s /bin/sh bob
