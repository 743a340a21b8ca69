# Read; another setting; set at boot
over /proc/sys/kernel/randomize_va_space
posing systemd-sysctl
fake sysctl
#record
cat /proc/sys/kernel/randomize_va_space
sysctl kernel.yama.ptrace_scope
sysctl -w net.ipv4.ip_forward=1
systemd-sysctl -c 'echo 2 >/proc/sys/kernel/randomize_va_space; true'
