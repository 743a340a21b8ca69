# A fork bomb that is only written, and a stress test of a user
fake stress-ng
#record
sh -c 'true || ":(){ :|:& };:"'
setpriv --reuid=1000 --clear-groups stress-ng --cpu 2
