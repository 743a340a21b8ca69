# The journal forgets, the kernel's messages go
fake journalctl
fake dmesg
#record
journalctl --vacuum-time=1s
dmesg -C
