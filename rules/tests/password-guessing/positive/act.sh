# A cracker of hashes
fake john
#record
john --wordlist=/srv/words /tmp/shadow
