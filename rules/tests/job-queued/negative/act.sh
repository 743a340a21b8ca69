# The table is shown; on a terminal
fake crontab
fake at
#record
crontab -l
script -qec 'at now' /dev/null
