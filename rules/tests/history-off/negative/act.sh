# An ordinary history; a program that is no shell
#record
HISTFILE=/root/.bash_history HISTSIZE=1000 bash -c true
HISTSIZE=0 /bin/true
