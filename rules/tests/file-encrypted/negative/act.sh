# A digest, an archive without a password, decryption
echo data >/srv/data
fake zip
#record
openssl dgst -sha256 /srv/data
zip /srv/d.zip /srv/data
openssl enc -d -aes-256-cbc -pbkdf2 -k x -in /srv/data 2>/dev/null
