# A table from standard input
fake crontab
fake at
#record
echo '@reboot true' | crontab -
echo true | at now + 1 hour
