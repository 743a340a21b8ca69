# A program copied to a directory of the image
cp /bin/true /usr/share/x
#record
in-container sh -c '/usr/share/x; true'
