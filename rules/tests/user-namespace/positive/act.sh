# A user gets all capabilities in a namespace
#record
setpriv --reuid=1000 --clear-groups unshare -U -r true
