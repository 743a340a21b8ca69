# A program of the image; a new one on the host
cp /bin/true /usr/share/x
#record
in-container /bin/true
/usr/share/x
