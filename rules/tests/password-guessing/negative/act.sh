# Words that are only similar
fake johnson
#record
johnson --wordlist=/srv/words
cat /dev/null john hydra 2>/dev/null
