# A setting that holds for the whole host
over /proc/sys/vm/panic_on_oom
#record
in-container sh -c 'echo 1 >/proc/sys/vm/panic_on_oom; true'
