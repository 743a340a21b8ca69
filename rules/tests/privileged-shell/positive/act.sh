# bash and sh in privileged mode
#record
bash -p -c true
cat /dev/null | bash -p
