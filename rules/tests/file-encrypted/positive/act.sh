# With a key as argument, and an archive with a password
echo data >/srv/data
fake zip
#record
openssl enc -aes-256-cbc -pbkdf2 -k x -in /srv/data -out /srv/data.enc
zip -P secret /srv/d.zip /srv/data
