# Symbolic, and hard under another name
#record
ln -s /etc/shadow /tmp/s
cd /etc; ln shadow /etc/unremarkable
