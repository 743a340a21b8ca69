# Somebody looks for that
fake sshd2
#record
grep -r 'stratum+tcp' /srv
sshd2 -o tcp://db.example:3333
