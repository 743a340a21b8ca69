# A file shredded
echo data >/srv/data
#record
shred -u -n 1 /srv/data
