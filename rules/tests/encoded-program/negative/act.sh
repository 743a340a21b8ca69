# Programs on the command line that anyone can read; base64 that is only data
#record
python3 -ISc 'print(6 * 7)'
perl -e 'print 6 * 7, "\n"'
bash -c 'base64 /etc/hostname | wc -c; true'
bash -c 'base64 -d </dev/null >/dev/null; true'
