# Read; on the host; a setting of the own network
over /proc/sys/vm/panic_on_oom
over /proc/sys/net/ipv4/ip_forward
#record
in-container cat /proc/sys/vm/panic_on_oom
echo 1 >/proc/sys/vm/panic_on_oom
in-container sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/srv/x; true'
