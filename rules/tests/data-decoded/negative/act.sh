# Encoded; a build decodes
posing make
#record
base64 /etc/hostname
xxd /etc/hostname
make -c 'echo dHJ1ZQo= | base64 -d; true'
