# Signatures erased, and zeroes over a disk
fake wipefs
fake dd
#record
wipefs -a /dev/sdb
dd if=/dev/zero of=/dev/sdb bs=1M
