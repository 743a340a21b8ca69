# A file deleted
echo data >/srv/data
#record
rm /srv/data
