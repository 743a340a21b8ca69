# An interpreter that may become anybody
fake setcap
#record
setcap cap_setuid+ep /usr/bin/python3.11
