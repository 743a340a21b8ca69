# Other programs' -p, and a shell's other options
#record
bash --posix -c true
sh -c 'mkdir -p /tmp/a'
bash -c 'set +p; true'
