# By the session's manager; another device
mkdir -p /dev/input; touch /dev/input/event3 /dev/video0
posing systemd-logind
#record
systemd-logind -c 'read line </dev/input/event3; true'
cat /dev/video0
