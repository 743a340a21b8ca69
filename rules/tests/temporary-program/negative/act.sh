# A test program of configure; a package's script; a script that an installed shell reads
posing make
posing dpkg
cp /bin/true /tmp/check
printf 'true\n' >/tmp/script
#record
make -c '/tmp/check; true'
dpkg -c '/tmp/check; true'
sh /tmp/script
