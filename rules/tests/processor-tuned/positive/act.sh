# Huge pages by a shell, and the module for registers
over /proc/sys/vm/nr_hugepages
fake modprobe
#record
echo 1280 >/proc/sys/vm/nr_hugepages
modprobe msr
