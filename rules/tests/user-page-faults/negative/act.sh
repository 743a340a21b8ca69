# root; an emulator; refused
posing qemu-system-x86
#record
perl -e 'syscall 323, 1'
setpriv --reuid=1000 --clear-groups perl -e 'syscall 323, -1'
