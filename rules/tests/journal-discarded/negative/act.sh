# Read only
fake journalctl
fake dmesg
#record
journalctl -u ssh
dmesg -T
