# A program of no known purpose gives a user's session a shell of root
posing report
#record
sh -c 'echo 1000 >/proc/self/loginuid; exec report -c "/bin/sh -c true; true"'
