# Executed and read only; written by a package
posing dpkg
printf '#!/bin/sh\ntrue\n' >/etc/init.d/job
chmod +x /etc/init.d/job
#record
/etc/init.d/job
cat /etc/rc.local 2>/dev/null
dpkg -c 'echo true >/etc/init.d/package; true'
