# A shell that keeps no history
#record
HISTFILE=/dev/null bash -c true
HISTSIZE=0 bash -c true
