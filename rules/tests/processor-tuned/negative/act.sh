# Read; set at boot; another module
over /proc/sys/vm/nr_hugepages
posing systemd-sysctl
fake modprobe
#record
cat /proc/sys/vm/nr_hugepages
systemd-sysctl -c 'echo 8 >/proc/sys/vm/nr_hugepages; true'
modprobe loop
