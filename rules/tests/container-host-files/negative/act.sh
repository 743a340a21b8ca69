# Other files there; on the host
mkdir -p /host/etc; echo x >/host/etc/hostname; echo x >/host/etc/shadow.txt
#record
in-container cat /host/etc/hostname
cat /host/etc/shadow.txt
