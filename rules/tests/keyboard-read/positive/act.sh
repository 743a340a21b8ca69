# The device of a keyboard
mkdir -p /dev/input; touch /dev/input/event3
#record
cat /dev/input/event3
