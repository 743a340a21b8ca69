# A program gets another name elsewhere, another one is deleted
#record
mv /usr/bin/base64 /usr/share/b
cd /usr/bin; rm base32
