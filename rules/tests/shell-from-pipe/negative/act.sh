# A shell with a script, a shell with a file as input, a shell below make
printf 'true\n' >/tmp/list
posing make
#record
cat /tmp/list | sh -c 'read line; true'
sh </tmp/list
make -c 'cat /tmp/list | sh; true'
