# ASLR off, ptrace for all; by a file and by sysctl
over /proc/sys/kernel/randomize_va_space
fake sysctl
#record
echo 0 >/proc/sys/kernel/randomize_va_space
sysctl -w kernel.yama.ptrace_scope=0
